import * as v from "valibot";
import { describe, expect, it, vi } from "vitest";
import { scriptedClient } from "../test/scripted-client.ts";
import { connectWithSecret, createSecretCache, isRefusedLogin } from "./index.ts";

const refusal = Object.assign(new Error("password authentication failed"), { code: "28P01" });

/** A server that accepts one password only, and a cache that holds the first one. */
async function server(accepted: string) {
  const { client, calls } = scriptedClient();
  const cache = createSecretCache({ client, schema: v.string(), format: "text" });
  const call = async (number: number, versionId: string, SecretString: string) => {
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(number), { interval: 1 });
    await calls[number]?.answer(versionId, "", { SecretString });
  };
  const connect = vi.fn(async (password: string) => {
    if (password !== accepted) throw refusal;
    return `connected with ${password}`;
  });
  const connecting = connectWithSecret(connect, { cache, secretId: "db" });
  connecting.catch(() => undefined);
  await call(0, "v1", "first");
  return { connecting, connect, calls, call };
}

describe("connectWithSecret", () => {
  it("connects once where the login is accepted", async () => {
    const { connecting, connect, calls } = await server("first");
    expect(await connecting).toBe("connected with first");
    expect(connect).toHaveBeenCalledOnce();
    expect(calls).toHaveLength(1);
  });

  it("connects with a newer value where the login is refused", async () => {
    const { connecting, connect, call } = await server("second");
    await call(1, "v2", "second");
    expect(await connecting).toBe("connected with second");
    expect(connect).toHaveBeenCalledTimes(2);
  });

  it("asks for nothing where another connection has got the newer value meanwhile", async () => {
    const { client, calls } = scriptedClient();
    const cache = createSecretCache({ client, schema: v.string(), format: "text" });
    const connect = async (password: string) => {
      if (password === "second") return "connected";
      const elsewhere = cache.refreshNow("db");
      await calls[1]?.answer("v2", "", { SecretString: "second" });
      await elsewhere;
      throw refusal;
    };
    const connecting = connectWithSecret(connect, { cache, secretId: "db" });
    await calls[0]?.answer("v1", "", { SecretString: "first" });
    expect(await connecting).toBe("connected");
    expect(calls).toHaveLength(2);
  });

  it("tries once more, and not again", async () => {
    const { connecting, connect, call, calls } = await server("third");
    await call(1, "v2", "second");
    await expect(connecting).rejects.toBe(refusal);
    expect(connect).toHaveBeenCalledTimes(2);
    expect(calls).toHaveLength(2);
  });

  it("does not try the same value twice", async () => {
    const { connecting, connect, call } = await server("second");
    await call(1, "v1", "first");
    await expect(connecting).rejects.toBe(refusal);
    expect(connect).toHaveBeenCalledOnce();
  });

  class Hidden {
    readonly #text: string;
    constructor(text: string) {
      this.#text = text;
    }
    get length() {
      return this.#text.length;
    }
  }
  const toHidden = v.pipe(
    v.string(),
    v.transform((text) => new Hidden(text)),
  );
  it.each([
    ["a class that hides them", v.object({ password: toHidden }), "second", 2],
    ["plain objects", v.object({ password: v.string() }), "second", 2],
    ["plain objects, and a new version has the old one", v.object({ password: v.string() }), "first", 1],
  ])("tells passwords apart in %s", async (_where, schema, newer, times) => {
    const { client, calls } = scriptedClient();
    const cache = createSecretCache<{ password: string | Hidden }>({ client, schema });
    const connect = vi.fn(() => Promise.reject(refusal));
    const connecting = expect(connectWithSecret(connect, { cache, secretId: "db" })).rejects.toBe(refusal);
    await calls[0]?.answer("v1", { password: "first" });
    await calls[1]?.answer("v2", { password: newer });
    await connecting;
    expect(connect).toHaveBeenCalledTimes(times);
  });

  it("does not try the same bytes twice, although each caller has a copy", async () => {
    const { client, calls } = scriptedClient();
    const cache = createSecretCache({ client, schema: v.instance(Uint8Array), format: "binary" });
    const connect = vi.fn(() => Promise.reject(refusal));
    const connecting = expect(connectWithSecret(connect, { cache, secretId: "db" })).rejects.toBe(refusal);
    await calls[0]?.answer("v1", "", { SecretBinary: Uint8Array.of(1) });
    await calls[1]?.answer("v1", "", { SecretBinary: Uint8Array.of(1) });
    await connecting;
    expect(connect).toHaveBeenCalledOnce();
  });

  it("says both where the login is refused and nothing can be fetched", async () => {
    const { connecting, calls } = await server("second");
    await vi.waitFor(() => expect(calls).toHaveLength(2), { interval: 1 });
    await calls[1]?.fail(Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" }));
    await expect(connecting).rejects.toThrow(/^The login with db was refused, .*ThrottlingException: Rate exceeded/);
    await expect(connecting).rejects.toMatchObject({ errors: [refusal, { code: "service" }] });
  });

  it("ends by its signal, with the signal's reason", async () => {
    const { client, calls } = scriptedClient();
    const cache = createSecretCache({ client, schema: v.string(), format: "text" });
    const impatient = new AbortController();
    const connect = async () => {
      queueMicrotask(() => impatient.abort(new Error("enough")));
      throw refusal;
    };
    const aborted = expect(connectWithSecret(connect, { cache, secretId: "db", signal: impatient.signal }));
    const rejection = aborted.rejects.toThrow(/^enough$/);
    await calls[0]?.answer("v1", "", { SecretString: "first" });
    await rejection;
  });

  it("leaves other errors alone", async () => {
    const { client, calls } = scriptedClient();
    const cache = createSecretCache({ client, schema: v.string(), format: "text" });
    const closed = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const connecting = connectWithSecret(() => Promise.reject(closed), { cache, secretId: "db" });
    connecting.catch(() => undefined);
    await calls[0]?.answer("v1", "", { SecretString: "first" });
    await expect(connecting).rejects.toBe(closed);
    expect(calls).toHaveLength(1);
  });
});

it.each([
  ["pg, wrong password", { code: "28P01" }, true],
  ["pg, no such role", { code: "28000" }, true],
  ["pg, too many connections", { code: "53300" }, false],
  ["mysql2, access denied", { code: "ER_ACCESS_DENIED_ERROR", errno: 1045 }, true],
  ["mysql2, too many connections", { code: "ER_CON_COUNT_ERROR", errno: 1040 }, false],
  ["mongodb, authentication failed", { name: "MongoServerError", code: 18 }, true],
  ["mongodb, not authorised", { name: "MongoServerError", code: 13 }, false],
  ["no answer", { code: "ETIMEDOUT" }, false],
  ["an 18 of something else", { code: 18 }, false],
])("isRefusedLogin: %s", (_name, properties, expected) => {
  expect(isRefusedLogin(Object.assign(new Error("text"), properties))).toBe(expected);
  expect(isRefusedLogin(properties)).toBe(false);
});
