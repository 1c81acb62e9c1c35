import * as v from "valibot";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const choice = v.pipe(v.string(), v.toLowerCase(), v.picklist(["true", "false"]));

/** A database's secret as the rotation functions read it: a port may be text, and TLS is off only where `ssl` says false. */
export const databaseSecret = v.object({
  host: v.string(),
  port: v.optional(v.union([port, v.pipe(v.string(), v.trim(), v.digits(), v.transform(Number), port)])),
  username: v.string(),
  password: v.string(),
  dbname: v.nullish(v.string()),
  /** MongoDB's and DocumentDB's: where the user is defined. */
  authSource: v.nullish(v.string()),
  ssl: v.optional(
    v.union([
      v.boolean(),
      v.pipe(
        choice,
        v.transform((word) => word === "true"),
      ),
    ]),
    true,
  ),
});

export type DatabaseSecret = v.InferOutput<typeof databaseSecret>;
