import { deadlineOf, type Log, type RotationContext, RotationError } from "@quarterturn/core";
import * as v from "valibot";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type KeyService, singleUser } from "./single-user.ts";

/** The keys of two accounts; a key's text is its id. What `issue` made has the name of the secret. */
const keys = new Map<string, { account: string; name: string; issuedAt: number }>();
const warn = vi.fn<Log["warn"]>();

beforeEach(() => {
  keys.clear();
  warn.mockClear();
  keys.set("by-hand", { account: "app", name: "", issuedAt: 1 });
  for (const [index, id] of ["first", "lost", "second", "third", "later"].entries()) {
    keys.set(id, { account: "app", name: "secret", issuedAt: index + 2 });
  }
  keys.set("of-another-secret", { account: "app", name: "other", issuedAt: 1 });
  keys.set("of-another-account", { account: "other", name: "secret", issuedAt: 1 });
});

const service: KeyService<object> = {
  fields: v.object({}),
  issue: async () => "later",
  async identify({ value }) {
    const key = keys.get(value);
    if (!key) throw new RotationError("credentials-rejected", "The key is refused", "Store another.");
    return { account: key.account, keyId: value };
  },
  async list(current) {
    const { account } = keys.get(current.value) ?? {};
    const named = [...keys].filter(([, key]) => key.account === account && key.name === "secret");
    return named.map(([id, { issuedAt }]) => ({ id, issuedAt }));
  },
  revoke: async (_current, keyId) => void keys.delete(keyId),
};

const log: Log = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() };
const context: RotationContext = {
  secretId: "secret",
  token: "token",
  deadline: deadlineOf(() => 1_000),
  log,
  readSecret: async () => "",
  describeSecret: async () => ({ tags: {} }),
  requirePending: async () => undefined,
};
const secret = (value: string) => ({ value, fields: {} });

async function retired(current: string, previous: string, env = {}): Promise<readonly string[]> {
  const before = [...keys.keys()];
  await singleUser(service, env).retire?.({ current: secret(current), previous: secret(previous) }, context);
  return before.filter((id) => !keys.has(id));
}

test("what is older than AWSCURRENT's key is revoked, AWSPREVIOUS's and what is newer or not this secret's excepted", async () => {
  expect(await retired("third", "second")).toEqual(["first", "lost"]);
  expect(warn).not.toHaveBeenCalled();
});

test("OLD_KEY=revoke ends AWSPREVIOUS's key too, whoever issued it", async () => {
  expect(await retired("third", "second", { OLD_KEY: "revoke" })).toEqual(["first", "lost", "second"]);
  expect(await retired("third", "by-hand", { OLD_KEY: "revoke" })).toEqual(["by-hand"]);
});

test("a key that a person issued stays valid, and the log says so", async () => {
  expect(await retired("first", "by-hand")).toEqual([]);
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("not issued by a rotation"), {
    keyId: "by-hand",
  });
});

test.each(["keep", "revoke"])("another account's key in AWSPREVIOUS is never revoked (OLD_KEY=%s)", async (oldKey) => {
  expect(await retired("first", "of-another-account", { OLD_KEY: oldKey })).toEqual([]);
});

test("nothing is revoked where AWSCURRENT's key was not issued by a rotation, since nobody knows what is older", async () => {
  expect(await retired("by-hand", "third")).toEqual([]);
});

test("AWSPREVIOUS's key may be gone already", async () => {
  expect(await retired("second", "revoked-long-ago")).toEqual(["first", "lost"]);
});

test.each(["keep", "revoke"])(
  "AWSCURRENT's own key is never revoked, AWSPREVIOUS's though it be (OLD_KEY=%s)",
  async (oldKey) => {
    expect(await retired("third", "third", { OLD_KEY: oldKey })).toEqual(["first", "lost", "second"]);
  },
);

describe("setSecret refuses a pending version", () => {
  const set = (current: object, pending: object, keyService = service) =>
    singleUser(keyService, {}).set(
      {
        current: { ...secret("first"), ...current },
        pending: { ...secret("second"), ...pending },
        previous: async () => undefined,
      },
      context,
    );

  test("with another account's key", async () => {
    await expect(set({}, { value: "of-another-account" })).rejects.toMatchObject({ code: "wrong-target" });
  });

  test("that differs in more than the key", async () => {
    const differing = set({ fields: { url: "https://a.example" } }, { fields: { url: "https://b.example" } });
    await expect(differing).rejects.toMatchObject({ code: "wrong-target" });
  });

  test("where the service does not say whose AWSCURRENT's key is, and does not refuse it either", async () => {
    const busy: typeof service = {
      ...service,
      async identify(key, of) {
        if (key.value === "first") throw new RotationError("timeout", "No answer", "Wait.");
        return service.identify(key, of);
      },
    };
    await expect(set({}, { value: "of-another-account" }, busy)).rejects.toMatchObject({ code: "timeout" });
  });
});

test("where AWSCURRENT's key is refused, a pending key that is accepted takes its place, and the log says what could not be checked", async () => {
  const { set } = singleUser(service, {});
  const values = { current: secret("gone"), pending: secret("third"), previous: async () => undefined };
  await expect(set(values, context)).resolves.toBe("valid");
  expect(warn).toHaveBeenCalledOnce();
});

test("a bad OLD_KEY is refused", () => {
  expect(() => singleUser(service, { OLD_KEY: "maybe" })).toThrow("keep, revoke");
});

test.each(["two words", "line\nbreak", "ünïcödé"])("%j is no key", async (value) => {
  const { issues } = await singleUser(service, {}).schema["~standard"].validate({ value, fields: {} });
  expect(issues?.map(({ message }) => message)).toEqual(["key holds white space or a character that no key has"]);
});
