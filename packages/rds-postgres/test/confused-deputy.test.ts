import { readFile } from "node:fs/promises";
import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contextOf, type Fixture, multi, startFixture, successor } from "./fixture.ts";

/** The admin's server, and another one, to which an allowed name of the secret leads. */
let own: Fixture;
let other: Fixture;
beforeAll(async () => {
  [own, other] = await Promise.all([startFixture({ settings: { log_connections: "on" } }), startFixture()]);
});
afterAll(async () => {
  await own[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const set = async (current: DatabaseSecret) => {
  const pending = await successor(current, multi());
  const env = { ALLOWED_HOSTS: "127.0.0.1" };
  return multi(env).set({ current, pending, previous: async () => undefined }, contextOf(own));
};

test("the admin acts for no user whose password is unknown at the admin's server, whatever the secret's own host says of it (promise 4)", async () => {
  const victim = await own.createUser("victim");
  // The attacker owns a server where "victim" has a password of the attacker's choice.
  const impostor = await other.createUser("victim", "chosen-by-attacker");
  const secret = { ...victim, host: "127.0.0.1", port: other.server.port, password: impostor.password };
  await other.query(secret, "SELECT 1");
  await expect(set(secret)).rejects.toMatchObject({
    code: "credentials-rejected",
    message: expect.stringContaining(`localhost:${own.server.port} refuses the user "victim"`),
  });
  await own.query(victim, "SELECT 1");
  expect((await own.superuser.query("SELECT FROM pg_roles WHERE rolname = 'victim_clone'")).rowCount).toBe(0);
});

test("a secret that allows plaintext for itself does not allow it for the admin", async () => {
  const current = await own.createUser("plain");
  const before = (await readFile(own.server.logFile, "utf8")).length;
  await set({ ...current, ssl: false });
  const logins = (await readFile(own.server.logFile, "utf8"))
    .slice(before)
    .split("\n")
    .filter((line) => line.includes("connection authorized"));
  expect(logins.map((line) => /user=(\w+)/.exec(line)?.[1])).toEqual(["plain", "boss"]);
  for (const line of logins) expect(line).toContain("SSL enabled");
});
