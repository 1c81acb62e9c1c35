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
  ["every version's", [json({ password: "old" }), json({ password: "new" })], "old new", "*** ***"],
  ["the longer of two first", [json({ a: "abc", b: "abcdef" })], "abcdef", "***"],
  ["one inside a list", [json({ keys: ["k1", { inner: "k2" }] })], "k1 k2", "*** ***"],
  ["one that is escaped", [json({ password: 'a"b' })], String.raw`sent {"p":"a\"b"}`, 'sent {"p":"***"}'],
  ["binary, as it travels and as text", [{ SecretBinary: "czNjcjN0" }], "czNjcjN0 s3cr3t", "*** ***"],
  ["not a host or user", [json({ host: "db", username: "app", password: "pw" })], "app at db: pw", "app at db: ***"],
  ["not an empty one", [json({ password: "" })], "text", "text"],
])("replaces %s", (_what, values, message, expected) => {
  expect(withoutValuesOf(secretOf(...values), message)).toBe(expected);
});
