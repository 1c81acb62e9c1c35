import { expect, it } from "vitest";
import { withoutValuesOf } from "./redaction.ts";
import type { Secret, SecretValue } from "./state.ts";

const secretOf = (...values: SecretValue[]): Secret => ({
  arn: "arn",
  name: "a",
  createdAt: 0,
  changedAt: 0,
  replicas: [],
  versions: values.map((value, n) => ({ id: String(n), labels: [], createdAt: 0, value })),
});

const json = (value: unknown): SecretValue => ({ SecretString: JSON.stringify(value) });

it.each([
  ["a plain string", [{ SecretString: "s3cr3t" }], "got s3cr3t!", "got ***!"],
  ["every version's", [json({ password: "old-1" }), json({ password: "new-1" })], "old-1 new-1", "*** ***"],
  ["the longer of two first", [json({ a: "abcd", b: "abcdef" })], "abcdef", "***"],
  ["one inside a list", [json({ keys: ["key1", { inner: "key2" }] })], "key1 key2", "*** ***"],
  ["one that is escaped", [json({ password: 'ab"cd' })], String.raw`sent {"p":"ab\"cd"}`, 'sent {"p":"***"}'],
  ["binary, as it travels and as text", [{ SecretBinary: "czNjcjN0" }], "czNjcjN0 s3cr3t", "*** ***"],
  [
    "not a host or user",
    [json({ host: "db", username: "app", password: "pass" })],
    "app at db: pass",
    "app at db: ***",
  ],
  ["not one that is too short to be told from a word's letters", [json({ password: "b" })], "a database", "a database"],
  ["not an empty one", [json({ password: "" })], "text", "text"],
])("replaces %s", (_what, values, message, expected) => {
  expect(withoutValuesOf(secretOf(...values), message)).toBe(expected);
});
