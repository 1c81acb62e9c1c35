import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";

const text = (key: string) => v.pipe(v.string(`${key} must be text`), v.nonEmpty(`${key} is empty`));

/** What a secret of the service says besides its key or password. Other keys are kept and not looked at. */
export interface Fields {
  /** Without a slash at its end. */
  readonly url: string;
  readonly username: string;
  readonly masterarn?: string | undefined;
}

const written = v.object(
  {
    engine: v.optional(v.literal("key-service", "engine must be key-service")),
    host: text("host"),
    port: v.optional(
      v.pipe(
        v.union([v.number(), v.pipe(v.string(), v.digits(), v.transform(Number))], "port must be a number"),
        v.integer("port must be a whole number"),
        v.minValue(1, "port must be a number from 1 to 65535"),
        v.maxValue(65_535, "port must be a number from 1 to 65535"),
      ),
      443,
    ),
    ssl: v.optional(v.boolean("ssl must be true or false"), true),
    // Basic authentication ends the name at its first colon (RFC 7617): a user "x" could pass for "x:y".
    username: v.pipe(text("username"), v.excludes(":", "username must not hold a colon")),
    masterarn: v.optional(text("masterarn")),
  },
  (issue) => `${String(issue.path?.at(-1)?.key)} is missing`,
);

/** A secret that says itself where the service is. */
export const fieldsOfSecret: v.GenericSchema<unknown, Fields> = v.pipe(
  written,
  v.transform(({ host, port, ssl, username, masterarn }) => ({
    url: `${ssl ? "https" : "http"}://${host}:${port}`,
    username,
    masterarn,
  })),
);

/**
 * A secret may also be nothing but its key: then the function knows where the service is.
 *
 * @param url undefined where the function does not know it
 */
export function fieldsOfKey(url: string | undefined): v.GenericSchema<unknown, Fields> {
  if (!url) return fieldsOfSecret;
  const nothing = v.pipe(
    v.object({}),
    v.transform(() => ({ url: url.replace(/\/$/, ""), username: "the key's owner" })),
  );
  return v.lazy((fields) => (isDeepStrictEqual(fields, {}) ? nothing : fieldsOfSecret));
}
