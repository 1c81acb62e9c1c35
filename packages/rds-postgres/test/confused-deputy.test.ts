import { readFile } from "node:fs/promises";
import { RotationError } from "@quarterturn/core";
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

const set = async (current: DatabaseSecret, admin = {}) => {
  const pending = await successor(current, multi());
  const env = { ALLOWED_HOSTS: "127.0.0.1" };
  return multi(env).set({ current, pending, previous: async () => undefined }, contextOf(own, admin));
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

for (const { allows, secret, admin, encrypted } of [
  { allows: "a secret", secret: { ssl: false }, admin: {}, encrypted: ["plain", "boss"] },
  { allows: "an admin secret", secret: { ssl: true }, admin: { ssl: false }, encrypted: ["plain"] },
  { allows: "each of the two", secret: { ssl: false }, admin: { ssl: false }, encrypted: [] },
]) {
  test(`${allows} that allows plaintext does so for itself alone`, async () => {
    const current = await own.createUser("plain");
    const before = (await readFile(own.server.logFile, "utf8")).length;
    await set({ ...current, ...secret }, admin);
    const logins = (await readFile(own.server.logFile, "utf8"))
      .slice(before)
      .split("\n")
      .filter((line) => line.includes("connection authorized"))
      .map((line) => ({ user: /user=(\w+)/.exec(line)?.[1], isEncrypted: line.includes("SSL enabled") }));
    expect(logins.map(({ user }) => user)).toEqual(["plain", "boss"]);
    expect(logins.filter(({ isEncrypted }) => isEncrypted).map(({ user }) => user)).toEqual(encrypted);
    await own.superuser.query("DROP ROLE plain_clone, plain");
  });
}

test("a step that was held up asks whether its rotation goes on before it changes a password", async () => {
  const current = await own.createUser("held_up");
  const pending = await successor(current, multi());
  const asked: (number | undefined)[] = [];
  const context = {
    ...contextOf(own),
    async requirePending(milliseconds?: number) {
      asked.push(milliseconds);
      throw new RotationError("superseded", "Another rotation has finished", "Start anew.");
    },
  };
  const rotation = { current, pending, previous: async () => undefined };
  await expect(multi().set(rotation, context)).rejects.toMatchObject({ code: "superseded" });
  // A quick one asks nothing: how long that is, is said by core.
  expect(asked).toEqual([undefined]);
  await expect(own.query(pending, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
});
