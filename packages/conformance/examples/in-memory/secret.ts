import { jsonFormat, type RotationContext, RotationError, readSecretValue } from "@quarterturn/core";
import * as v from "valibot";
import type { Login } from "./account-client.ts";

const text = (key: string) => v.pipe(v.string(`${key} must be text`), v.nonEmpty(`${key} is empty`));

/** What the secret's JSON must hold; other keys are kept and not looked at. */
export const secretSchema = v.object(
  {
    engine: v.optional(v.literal("in-memory", "engine must be in-memory")),
    host: text("host"),
    port: v.pipe(
      v.union([v.number(), v.pipe(v.string(), v.digits(), v.transform(Number))], "port must be a number"),
      v.integer("port must be a number"),
      v.maxValue(65_535, "port must be a number up to 65535"),
    ),
    username: text("username"),
    password: text("password"),
    masterarn: v.optional(v.string("masterarn must be text")),
  },
  (issue) => `${String(issue.path?.at(-1)?.key)} is missing`,
);
export type Secret = v.InferOutput<typeof secretSchema>;

/** Promise 4: a rotation changes this account on this server and nothing else. */
export function requireSameAccount(current: Secret, other: Login, username: string): void {
  if (other.host === current.host && other.port === current.port && other.username === username) return;
  throw new RotationError(
    "wrong-target",
    `The versions name different accounts (${other.username} at ${other.host}:${other.port})`,
    "This try changed nothing. Correct the secret, then rotate again.",
  );
}

/** The admin's login, from the secret that `masterarn` names. */
export async function adminOf(secret: Secret, context: RotationContext): Promise<Secret> {
  if (secret.masterarn === undefined) {
    throw new RotationError("bad-secret", "masterarn is missing", "Put the admin secret's ARN into the secret.");
  }
  return readSecretValue(await context.readSecret(secret.masterarn), "the admin secret", secretSchema, jsonFormat);
}

export function rejected({ username, host, port }: Login): RotationError {
  return new RotationError(
    "credentials-rejected",
    `${host}:${port} refuses the password of "${username}"`,
    "This try changed nothing. Store the password that works, then rotate again.",
  );
}
