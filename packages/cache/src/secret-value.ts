import type { GetSecretValueCommandOutput } from "@aws-sdk/client-secrets-manager";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SecretCacheError, type SecretName } from "./errors.ts";
import { frozen } from "./plain-data.ts";

/** How a secret is written: as a JSON text, as any text, or as SecretBinary. */
export type SecretFormat = "json" | "text" | "binary";

/**
 * The value of a version, as the schema gives it. Objects and arrays of it are frozen, since every caller gets the same ones.
 *
 * @throws SecretCacheError `bad-secret`
 */
export async function secretValue<Value>(
  name: SecretName,
  { SecretString, SecretBinary }: Pick<GetSecretValueCommandOutput, "SecretString" | "SecretBinary">,
  format: SecretFormat,
  schema: StandardSchemaV1<unknown, Value>,
): Promise<Value> {
  const refuse = (what: string): never => {
    throw new SecretCacheError("bad-secret", name, what);
  };
  const input = format === "binary" ? (SecretBinary ?? refuse(TEXT_FOUND)) : (SecretString ?? refuse(BINARY_FOUND));
  const value = format === "json" ? parse(String(input), refuse) : input;
  const result = await validate(schema, value, refuse);
  if (result.issues) return refuse(`the value is not as the schema wants it: ${reasons(result.issues, value)}`);
  return frozen(result.value);
}

const BINARY_FOUND = `the value is binary. Read it with format "binary", or store it as text (SecretString)`;
const TEXT_FOUND = `the value is text. Read it with format "json" or "text", or store it as SecretBinary`;

function parse(text: string, refuse: (what: string) => never): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return refuse(`the value is not JSON. Store it as JSON, or read it with format "text"`);
  }
}

async function validate<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  value: unknown,
  refuse: (what: string) => never,
): Promise<StandardSchemaV1.Result<Value>> {
  try {
    return await schema["~standard"].validate(value);
  } catch (error) {
    return refuse(`the schema threw ${error instanceof Error ? error.name : "something"} instead of an answer`);
  }
}

/** Where the schema found something, and what kind of thing is there. The schema's own messages are left out: most libraries' quote the value. */
function reasons(issues: readonly StandardSchemaV1.Issue[], value: unknown): string {
  const found = issues.map((issue) => {
    const path = (issue.path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment));
    const place = path.length === 0 ? "the value" : path.map(String).join(".");
    const there = path.reduce(inside, value);
    return there === undefined ? `${place} is missing` : `${place} is ${kindOf(there)}${expectation(issue)}`;
  });
  return [...new Set(found)].join("; ");
}

function inside(value: unknown, key: PropertyKey): unknown {
  const there = Object(value ?? {}) as Record<PropertyKey, unknown>;
  return Object.hasOwn(there, key) ? there[key] : undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Uint8Array) return `binary of ${value.length} bytes`;
  return { string: "text", number: "a number", boolean: "a boolean" }[typeof value as string] ?? "an object";
}

/** Valibot and Zod say beside the message what they expected, which comes from the schema alone. */
function expectation(issue: StandardSchemaV1.Issue): string {
  const { expected } = issue as { readonly expected?: unknown };
  return typeof expected === "string" ? `, expected: ${expected}` : "";
}
