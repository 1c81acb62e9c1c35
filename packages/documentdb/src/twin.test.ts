import { jsonLog } from "@quarterturn/core";
import type { Login, Pair } from "@quarterturn/database";
import type { Document } from "bson";
import { expect, test } from "vitest";
import { alignTwin } from "./twin.ts";

/** The password with which an admin makes a twin. */
async function firstPassword(admin: Partial<Login>, pair: Partial<Pair> = {}): Promise<string> {
  const passwords: string[] = [];
  const run = async (_: string, { usersInfo, createUser, pwd }: Document) => {
    if (createUser) passwords.push(pwd);
    return { users: usersInfo === "app" ? [{ user: "app", roles: [] }] : [] };
  };
  const users = { original: "app", twin: "app_clone", pending: "twin", userKeys: { authSource: "shop" } } as const;
  const no = async () => false;
  const login = { host: "h", port: 1, username: "boss", password: "a", userKeys: {}, tls: false, ...admin } as const;
  const log = jsonLog(() => undefined, "DEBUG", {}, String);
  await alignTwin(run, { ...users, ...pair }, { isOurs: no, isAccepted: no }, login, { log } as never);
  return passwords.join();
}

// It shows whose a user without a mark is: who could work it out would have an admin take a user of theirs for the twin.
test("a new twin's password is the same in every try, and only who knows the admin's can work it out", async () => {
  const first = await firstPassword({});
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(await firstPassword({})).toBe(first);
  const others = [
    firstPassword({ password: "b" }),
    firstPassword({}, { twin: "other_clone" }),
    firstPassword({}, { userKeys: { authSource: "other" } }),
  ];
  expect(await Promise.all(others)).not.toContain(first);
});
