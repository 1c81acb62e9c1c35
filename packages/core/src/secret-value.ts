import type { StandardSchemaV1 } from "@standard-schema/spec";
import { RotationError } from "./errors.ts";
import { editJson } from "./json.ts";
import { validate } from "./validation.ts";

/**
 * How the text of a secret's version is read and how a change is written into it: the one seam between "a secret is JSON" and "a
 * secret is plain text".
 */
export interface SecretFormat<Changes> {
  /** What the schema validates. @throws SyntaxError */
  read(text: string): unknown;
  /** The text of the next version: the current text with the changes, everything else untouched. */
  write(current: string, changes: Changes): string;
}

/** A JSON object; changes are the keys that change. */
export const jsonFormat: SecretFormat<Readonly<Record<string, unknown>>> = {
  read(text) {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new SyntaxError("it is not a JSON object");
    return value;
  },
  write: editJson,
};

/** Plain text; the change is the whole next value. */
export const textFormat: SecretFormat<string> = {
  read: (text) => text,
  write: (_current, next) => next,
};

/**
 * The validated value of a version.
 *
 * @param version the version's name for people, e.g. `AWSCURRENT` or `the pending version`
 * @throws RotationError `bad-secret`, naming the keys and never their values
 */
export async function readSecretValue<S extends StandardSchemaV1>(
  text: string,
  version: string,
  schema: S,
  format: Pick<SecretFormat<never>, "read">,
): Promise<StandardSchemaV1.InferOutput<S>> {
  let input: unknown;
  try {
    input = format.read(text);
  } catch {
    // The parser's own message quotes the text that it stumbled over, which is the secret: neither it nor the cause is kept.
    throw new RotationError("bad-secret", `The value of ${version} is not a JSON object`, repairAdvice);
  }
  return validate(schema, input, (issues) => {
    throw new RotationError("bad-secret", `The value of ${version} cannot be used (${issues})`, repairAdvice);
  });
}

const repairAdvice = "This try changed nothing. Correct the secret's value with PutSecretValue, then rotate again.";
