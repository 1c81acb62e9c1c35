import { deadlineOf, type Log, type RotationContext, RotationError } from "@quarterturn/core";
import * as v from "valibot";
import { beforeEach, expect, test, vi } from "vitest";
import { multiUser, type UserService } from "./multi-user.ts";
import type { RotatedSecret } from "./secret.ts";

interface Fields {
  readonly username: string;
  readonly masterarn?: string | undefined;
  readonly url?: string | undefined;
}

/** What the admin did, in order. */
let done: string[] = [];
/** Users to whose twin they are. */
let marks: Record<string, string> = {};

beforeEach(() => {
  done = [];
  marks = {};
});

const service: UserService<Fields> = {
  fields: v.object({ username: v.string(), masterarn: v.optional(v.string()), url: v.optional(v.string()) }),
  where: ({ url }) => url ?? "https://service.example",
  async login({ value, fields }) {
    done.push(`log in as ${fields.username}`);
    if (value !== "right") throw new RotationError("credentials-rejected", "Refused", "Store another.");
  },
  async createTwin(_admin, { original, twin }) {
    done.push(`create ${twin}`);
    marks[twin] ??= original;
  },
  twinOf: async (_admin, username) => marks[username],
  prepare: async (_admin, { username, original }) => void done.push(`prepare ${username} as ${original}`),
};

const log: Log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const context: RotationContext = {
  secretId: "secret",
  token: "token",
  deadline: deadlineOf(() => 1_000),
  log,
  readSecret: async () => '{"username":"admin","password":"admins"}',
  describeSecret: async () => ({ tags: {} }),
  requirePending: async () => undefined,
};
const rotator = multiUser(service, {});
const secret = (username: string, value: string) => ({ value, fields: { username, masterarn: "arn:admin" } });
const set = (from: string, to: string, value = "right") => rotate(secret(from, value), secret(to, "next"));
const rotate = (current: RotatedSecret<Fields>, pending: RotatedSecret<Fields>) =>
  rotator.set({ current, pending, previous: async () => undefined }, context);

test("the two take turns: the twin is created once, and each gets the original's rights", async () => {
  await set("app", "app_clone");
  await set("app_clone", "app");
  expect(done).toEqual([
    "log in as app",
    "create app_clone",
    "prepare app_clone as app",
    "log in as app_clone",
    "prepare app as app",
  ]);
});

test.each([
  { is: "a user that has the twin's name", from: "app", to: "app_clone", marked: { app_clone: "somebody" } },
  { is: "the user that a name ending in _clone points to", from: "victim_clone", to: "victim", marked: {} },
])("$is is not touched without the mark", async ({ from, to, marked }) => {
  marks = marked;
  await expect(set(from, to)).rejects.toMatchObject({ code: "wrong-target", message: expect.stringContaining("mark") });
  expect(done.filter((what) => what.startsWith("prepare"))).toEqual([]);
});

test("the admin does nothing for a user whose password is not known", async () => {
  await expect(set("app", "app_clone", "wrong")).rejects.toMatchObject({ code: "credentials-rejected" });
  expect(done).toEqual(["log in as app"]);
});

test.each([
  {
    is: "at another place than the admin's",
    current: { url: "https://other.example" },
    pending: {},
    code: "wrong-target",
  },
  { is: "with another admin", current: {}, pending: { masterarn: "arn:other" }, code: "wrong-target" },
  { is: "of another pair", current: {}, pending: { username: "other_clone" }, code: "wrong-target" },
  { is: "of the same user", current: {}, pending: { username: "app" }, code: "superseded" },
])("a pending version $is is refused, and nothing is sent", async ({ current, pending, code }) => {
  const fields = { ...secret("app", "").fields, ...current };
  const next = { ...fields, username: "app_clone", ...pending };
  await expect(rotate({ value: "right", fields }, { value: "next", fields: next })).rejects.toMatchObject({ code });
  expect(done).toEqual([]);
});

test("a step that was held up asks whether its rotation goes on before it sets a password", async () => {
  let asked = 0;
  const heldUp = {
    ...context,
    async requirePending() {
      asked += 1;
      throw new RotationError("superseded", "Another rotation has finished", "Start anew.");
    },
  };
  const [current, pending] = [secret("app", "right"), secret("app_clone", "next")];
  await expect(rotator.set({ current, pending, previous: async () => undefined }, heldUp)).rejects.toMatchObject({
    code: "superseded",
  });
  expect(asked).toBe(1);
  expect(done).toEqual(["log in as app", "create app_clone"]);
});

test("a name that is nothing but the suffix has no second user", async () => {
  await expect(rotator.create(secret("_clone", "right"), context)).rejects.toMatchObject({ code: "bad-secret" });
});
