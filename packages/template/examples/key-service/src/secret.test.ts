import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { fieldsOfKey, fieldsOfSecret } from "./secret.ts";

const whole = { host: "api.example", username: "app" };
const issuesOf = (schema: v.GenericSchema, fields: object) =>
  v.safeParse(schema, fields).issues?.map(({ message }) => message);

test("a name with a colon is refused: Basic authentication would log in as another user", () => {
  expect(issuesOf(fieldsOfSecret, { ...whole, username: "x:y" })).toEqual(["username must not hold a colon"]);
});

describe("where KEY_SERVICE_URL is set", () => {
  const schema = fieldsOfKey("https://function.example/");

  test("a secret that is nothing but its key is for that URL", () => {
    expect(v.parse(schema, {})).toMatchObject({ url: "https://function.example" });
  });

  test("a secret that says more says where the service is", () => {
    expect(v.parse(schema, whole)).toMatchObject({ url: "https://api.example:443", username: "app" });
    expect(issuesOf(schema, { ...whole, engine: "postgres" })).toEqual(["engine must be key-service"]);
    expect(issuesOf(schema, { username: "app" })).toEqual(["host is missing"]);
  });
});

test("without it, a secret must say where the service is", () => {
  expect(issuesOf(fieldsOfKey(undefined), {})).toEqual(["host is missing", "username is missing"]);
});
