import { readSecretValue } from "@quarterturn/core";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { secretFormat, secretSchema } from "./secret.ts";

const format = secretFormat("key");

test.each([
  {
    is: "JSON",
    text: '{ "a": 1.0, "key":"old"  }',
    value: "old",
    fields: { a: 1 },
  },
  { is: "JSON after white space", text: '\n {"key":"old"}', value: "old", fields: {} },
  { is: "plain text", text: "old", value: "old", fields: {} },
  { is: "plain text that looks like another JSON value", text: '["old"]', value: '["old"]', fields: {} },
])("$is is read", ({ text, value, fields }) => {
  expect(format.read(text)).toEqual({ value, fields });
});

test.each([
  { from: '{ "a": 1.0, "key":"old" }', to: '{ "a": 1.0, "key":"new" }' },
  { from: '{"a":1}', to: '{"a":1,"key":"new"}' },
  { from: "old", to: "new" },
])("$from is written as $to", ({ from, to }) => {
  expect(format.write(from, { value: "new" })).toBe(to);
});

test("another field of a JSON secret changes with the value where the changes say so", () => {
  expect(format.write('{"username":"app","key":"old"}', { value: "new", fields: { username: "app_clone" } })).toBe(
    '{"username":"app_clone","key":"new"}',
  );
});

describe("the schema refuses, naming the field and not the value,", () => {
  const schema = secretSchema("key", v.object({}));
  test.each([
    { is: "a damaged object", text: '{"key":"kept-secret"', saying: "not a JSON object" },
    { is: "an object without the field", text: '{"kee":"kept-secret"}', saying: "key must be text" },
    { is: "a value that is no text", text: '{"key":["kept-secret"]}', saying: "key must be text" },
    { is: "an empty value", text: '{"key":""}', saying: "key is empty" },
  ])("$is", async ({ text, saying }) => {
    const refusal = await readSecretValue(text, "AWSCURRENT", schema, format).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "bad-secret", message: expect.stringContaining(saying) });
    expect(String(refusal)).not.toContain("kept-secret");
  });
});
