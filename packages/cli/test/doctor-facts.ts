import { RotationError } from "@quarterturn/core";
import type { Check } from "../src/doctor/check.ts";
import type { Facts } from "../src/doctor/facts.ts";
import type { Database } from "../src/doctor/secret-value.ts";
import { seen } from "../src/doctor/seen.ts";
import { products } from "../src/engines.ts";

export const secretArn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop-AbCdEf";
export const functionArn = "arn:aws:lambda:eu-central-1:111122223333:function:shop-rotation";
const [postgres] = products;
export const unseen = { is: "unseen", why: "you may not" } as const;

export function database(changes: Partial<Database> & { host?: string } = {}): Facts["value"] {
  const { host = "db.example", ...others } = changes;
  if (!postgres) throw new Error("no product");
  const value = { host, port: 5432, username: "app", password: "p", userKeys: {}, ssl: others.ssl !== false };
  return seen({
    is: "database",
    product: postgres,
    engine: "postgres",
    keys: ["engine", "host", "note"],
    ssl: undefined,
    value,
    ...others,
  });
}

export const functionWith = (configuration: object, policy?: object): NonNullable<Facts["rotationFunction"]> => ({
  arn: functionArn,
  configuration: seen({ State: "Active", $metadata: {}, ...configuration }),
  policy: seen(policy && JSON.stringify(policy)),
});

/** Facts of a secret about which nothing is wrong, but for these. */
export const factsWith = (changes: { readonly [Name in keyof Facts]?: unknown }): Facts =>
  ({
    now: new Date("2030-01-31T10:00:00Z"),
    id: "shop",
    secret: { name: "shop", arn: secretArn, state: "CONFIGURED_NOT_ROTATING", versions: { one: ["AWSCURRENT"] } },
    value: database(),
    strategy: "single-user",
    rotationFunction: functionWith({}),
    next: (...words: readonly string[]) => ["quarterturn", ...words].join(" "),
    aws: (...words: readonly string[]) => ["aws", ...words].join(" "),
    redact: (text: string) => text,
    ...changes,
  }) as Facts;

/** `pass`, or what is wrong and what to do. */
export function say(check: Check, changes: { readonly [Name in keyof Facts]?: unknown }): string {
  const finding = check.look(factsWith(changes));
  return [finding.is, finding.what, ...("fix" in finding && finding.fix ? [finding.fix] : [])].join(" | ");
}

export const failing = (code: "tls" | "timeout" | "busy" | "privilege") =>
  new RotationError(code, `it is ${code}`, "This login changed nothing. Do this.");
