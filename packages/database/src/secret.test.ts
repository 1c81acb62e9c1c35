import { jsonFormat, readSecretValue } from "@quarterturn/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adminSecretSchema, databaseSecretSchema } from "./secret.ts";
import { sslChoice } from "./tls.ts";

const manifest = {
  name: "rds-example",
  title: "Example",
  engines: ["postgres", "aurora-postgresql"],
  port: 5432,
  dbname: "postgres",
  excludeCharacters: "",
  settings: [],
  verifiedAgainst: [],
};
const read = (secret: unknown) =>
  readSecretValue(JSON.stringify(secret), "AWSCURRENT", databaseSecretSchema(manifest), jsonFormat);
const minimal = { host: "db.example", username: "app", password: "pass-word" };
const defaults = { ...minimal, port: 5432, dbname: "postgres", userKeys: {}, ssl: true };

describe("a database's secret", () => {
  const accepted: readonly [string, object, object][] = [
    ["as people write it by hand: no engine, no port", {}, {}],
    ["as RDS's console writes it", { engine: "postgres", port: 5433, dbInstanceIdentifier: "x" }, { port: 5433 }],
    ["a port written as text, which AWS's functions take", { port: " 5433 " }, { port: 5433 }],
    ["a dbname that is null or empty means the engine's", { dbname: null }, {}],
    ["a dbname", { dbname: "shop" }, { dbname: "shop" }],
    ["an engine that is null", { engine: null }, {}],
    ["ssl false", { ssl: false }, { ssl: false }],
    ["ssl as a word", { ssl: "False" }, { ssl: false }],
    ["an admin secret", { masterarn: "arn:admin" }, { masterarn: "arn:admin" }],
  ];
  for (const [name, more, expected] of accepted) {
    test(`${name} is read`, async () =>
      expect(await read({ ...minimal, ...more })).toEqual({ ...defaults, ...expected }));
  }

  const refused: readonly [string, object, RegExp][] = [
    ["no host", { host: undefined }, /host is missing/],
    ["an empty username", { username: "" }, /username is empty/],
    ["a password that is a number", { password: 12345678 }, /password must be text/],
    ["a port of abc", { port: "abc" }, /port must be a number from 1 to 65535/],
    ["a port of 0", { port: 0 }, /port must be a number/],
    ["a port of 65536", { port: 65536 }, /port must be a number/],
    ["a port of 54.32", { port: 54.32 }, /port must be a number/],
    ["another engine", { engine: "mysql" }, /engine must be postgres or aurora-postgresql/],
    [
      "ssl of another word, which AWS's functions take for a fallback to plaintext",
      { ssl: "no" },
      /ssl must be true or false/,
    ],
    ["ssl null", { ssl: null }, /ssl must be true or false/],
    [
      "a NUL in the username, after which the protocol would read on",
      { username: "app\0database\0x" },
      /username holds a NUL/,
    ],
  ];
  for (const [name, more, message] of refused) {
    test(`${name} is refused in words, without a value`, async () => {
      const error = await read({ ...minimal, ...more }).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ code: "bad-secret", message: expect.stringMatching(message) });
      expect((error as Error).message).not.toMatch(/pass-word|12345678/);
    });
  }

  test("no refused value ever comes into the message", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("host", "port", "username", "password", "dbname", "masterarn", "ssl", "engine"),
        fc.oneof(fc.integer({ min: 10_000_000 }), fc.array(fc.string({ minLength: 8 }), { minLength: 1 })),
        async (key, value) => {
          const error = await read({ ...minimal, [key]: value }).catch((thrown: Error) => thrown);
          expect(error).toBeInstanceOf(Error);
          const leaf = String([value].flat()[0]);
          if (leaf.trim().length > 7) expect((error as Error).message.includes(leaf)).toBe(false);
        },
      ),
    );
  });
});

test("keys that an engine adds are read as texts, an empty one counts as absent, and another type is refused", async () => {
  const secretKeys = [{ name: "authSource", absent: "dbname", meaning: "Where the user is." }];
  const readWithKeys = (authSource: unknown) =>
    readSecretValue(
      JSON.stringify({ ...minimal, authSource }),
      "AWSCURRENT",
      databaseSecretSchema({ ...manifest, secretKeys }),
      jsonFormat,
    );
  expect(await readWithKeys("users")).toEqual({ ...defaults, userKeys: { authSource: "users" } });
  expect(await readWithKeys("")).toEqual(defaults);
  expect(await readWithKeys(null)).toEqual(defaults);
  const [key] = secretKeys;
  const schema = databaseSecretSchema({ ...manifest, secretKeys: key ? [{ ...key, orElse: "dbname" }] : [] });
  for (const [more, authSource] of [
    [{ dbname: "shop" }, "shop"],
    [{ dbname: "shop", authSource: "users" }, "users"],
    [{ dbname: "" }, undefined],
  ] as const) {
    const secret = await readSecretValue(JSON.stringify({ ...minimal, ...more }), "AWSCURRENT", schema, jsonFormat);
    expect(secret.userKeys.authSource).toBe(authSource);
  }
  await expect(readWithKeys(7)).rejects.toMatchObject({
    code: "bad-secret",
    message: expect.stringMatching(/authSource must be text/),
  });
});

test("only false, as a boolean or a word in any case, ever means plaintext", () => {
  const isFalse = (value: unknown) => value === false || (typeof value === "string" && value.toLowerCase() === "false");
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.constantFrom("false", "FALSE", "true", "True", " false", "0", 0, null, "", "off")),
      (value) => {
        expect(sslChoice(value) === false).toBe(isFalse(value));
      },
    ),
  );
});

test("an admin secret that RDS manages has only a name and a password", async () => {
  const admin = await readSecretValue(
    '{"username":"postgres","password":"p"}',
    "the admin secret",
    adminSecretSchema(manifest),
    jsonFormat,
  );
  expect(admin).toEqual({ username: "postgres", password: "p", userKeys: {}, ssl: true });
});
