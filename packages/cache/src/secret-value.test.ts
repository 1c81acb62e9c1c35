import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { scriptedClient } from "../test/scripted-client.ts";
import { createSecretCache, type SecretCacheOptions } from "./index.ts";

/** Reads one version with a cache of its own. */
function read<Value>(
  answer: { SecretString: string } | { SecretBinary: Uint8Array },
  options: Pick<SecretCacheOptions<Value>, "schema" | "format">,
) {
  const { client, calls } = scriptedClient();
  const cache = createSecretCache({ client, ...options });
  const got = cache.get("db");
  void calls[0]?.answer("v1", {}, answer);
  return { cache, got };
}

const bytes = Uint8Array.of(1, 2, 3);
const anything = v.unknown();

it("a secret may be JSON, text or binary", async () => {
  expect(await read({ SecretString: '{"a":1}' }, { schema: v.object({ a: v.number() }) }).got).toEqual({ a: 1 });
  expect(await read({ SecretString: "hunter" }, { schema: v.string(), format: "text" }).got).toBe("hunter");
  const binary = read({ SecretBinary: bytes }, { schema: v.instance(Uint8Array), format: "binary" });
  expect(await binary.got).toEqual(bytes);
});

it("one caller cannot change another's value", async () => {
  const schema = v.object({ hosts: v.array(v.object({ name: v.string() })) });
  const { cache, got } = read({ SecretString: '{"hosts":[{"name":"a"}]}' }, { schema });
  const value = await got;
  expect(() => value.hosts.push({ name: "b" })).toThrow(TypeError);
  expect(() => Object.assign(value.hosts[0] ?? {}, { name: "b" })).toThrow(TypeError);
  expect(await cache.get("db")).toEqual({ hosts: [{ name: "a" }] });
});

it("one caller cannot change another's value where the schema has frozen a part of it, or made it a circle", async () => {
  const frozenByTheSchema = v.pipe(
    v.object({ hosts: v.array(v.string()) }),
    v.transform((value) => Object.freeze(Object.assign(value, { itself: value }))),
  );
  const value = await read({ SecretString: '{"hosts":["a"]}' }, { schema: frozenByTheSchema }).got;
  expect(() => value.hosts.push("b")).toThrow(TypeError);
});

const toBuffer = v.pipe(
  v.instance(Uint8Array),
  v.transform((each) => Buffer.from(each)),
);
it.each([
  [Uint8Array, v.instance(Uint8Array)],
  [Buffer, toBuffer],
])("bytes are a copy for each caller: %o", async (type, schema) => {
  const { cache, got } = read<Uint8Array>({ SecretBinary: bytes }, { schema, format: "binary" });
  const value = await got;
  expect(Object.getPrototypeOf(value)).toBe(type.prototype);
  value[0] = 9;
  expect([...(await cache.get("db"))]).toEqual([1, 2, 3]);
});

describe("a value that cannot be used is an error without the value", () => {
  const password = "hunter2hunter2";
  const secret = { username: 7, password, port: null, nested: [{ key: password }], extra: true };
  const SecretString = JSON.stringify(secret);
  const schema = v.strictObject({
    username: v.string(),
    password: v.pipe(v.string(), v.maxLength(3)),
    host: v.string(),
    constructor: v.string(),
    port: v.number(),
    nested: v.array(v.object({ key: v.literal("x") })),
  });
  it.each([
    [
      "not JSON",
      () => read({ SecretString: `{"password": "${password}" oops` }, { schema: anything }),
      /the value is not JSON/,
    ],
    [
      "not as the schema wants it",
      () => read({ SecretString }, { schema }),
      /username is a number, expected: string; password is text, expected: <=3; host is missing; constructor is missing; port is null, expected: number; nested\.0\.key is text, expected: "x"; extra is a boolean/,
    ],
    [
      "text as a whole",
      () => read({ SecretString: JSON.stringify(password) }, { schema }),
      /the value is text, expected: Object/,
    ],
    [
      "a schema that throws",
      () =>
        read(
          { SecretString },
          {
            schema: v.pipe(
              v.unknown(),
              v.check(() => {
                throw new RangeError(password);
              }),
            ),
          },
        ),
      /the schema threw RangeError/,
    ],
    ["binary", () => read({ SecretBinary: bytes }, { schema: anything }), /the value is binary\. .*format "binary"/],
    [
      "text",
      () => read({ SecretString }, { schema: anything, format: "binary" }),
      /the value is text\. .*SecretBinary/,
    ],
  ])("%s", async (_name, reading, message) => {
    const error = await reading().got.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "SecretCacheError", code: "bad-secret", secretId: "db" });
    expect(String(error)).toMatch(/^SecretCacheError: db \(AWSCURRENT\): /);
    expect(String(error)).toMatch(message);
    expect(error).not.toHaveProperty("cause");
    expect(`${error} ${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain("hunter");
  });
});

it("an error is told by its name and its first line, whatever the name", async () => {
  const { client, calls } = scriptedClient();
  const cache = createSecretCache({ client, schema: anything });
  const failing = expect(cache.get("db")).rejects.toThrow(
    /^db \(AWSCURRENT\): GetSecretValue failed: constructor: no \[service\]$/,
  );
  await calls[0]?.fail(Object.assign(new Error("no.\n  more"), { name: "constructor" }));
  await failing;
});

it("an answer that is cut off is an error without its text", async () => {
  const { client, calls } = scriptedClient();
  const cache = createSecretCache({ client, schema: anything });
  const failing = cache.get("db").catch((thrown: unknown) => thrown);
  await calls[0]?.fail(new SyntaxError(`Unexpected end of JSON input at "hunter2`));
  const error = await failing;
  expect(String(error)).toContain("answered with something that is not JSON");
  expect(error).not.toHaveProperty("cause");
});
