import { deadlineOf, jsonLog, type Manifest, type RotationContext } from "@quarterturn/core";
import { expect, test } from "vitest";
import type { Engine, Login } from "./engine.ts";
import { multiUser } from "./multi-user.ts";
import type { DatabaseSecret } from "./secret.ts";
import type { ServerDirectory } from "./server-directory.ts";
import { databaseSettings } from "./settings.ts";

const manifest: Manifest = {
  name: "imaginary",
  title: "Imaginary",
  engines: ["imaginary"],
  port: 1234,
  excludeCharacters: "",
  usernameLimit: 100,
  settings: [],
  verifiedAgainst: [],
};
const directory: ServerDirectory = {
  knows: () => false,
  managedServer: () => Promise.reject(new Error("not asked")),
  isSameDatabase: async () => false,
};

/** Whether the password of the rotated secret was sent in clear. */
async function isSentInClear(secretsSsl: boolean, adminsSsl: boolean): Promise<boolean> {
  const probed: Login[] = [];
  const engine: Engine = {
    manifest,
    discardsOldPassword: false,
    login: () => Promise.reject(new Error("not reached")),
    async probe(login) {
      probed.push(login);
      return "rejected";
    },
  };
  const rotator = multiUser(engine, directory, databaseSettings({}, manifest));
  const current: DatabaseSecret = {
    host: "db.example",
    port: 1234,
    username: "app",
    password: "old",
    userKeys: {},
    ssl: secretsSsl,
    masterarn: "admin",
  };
  const pending = { ...current, username: "app_clone", password: "new" };
  const context: RotationContext = {
    secretId: "arn",
    token: "token",
    deadline: deadlineOf(() => 1_000),
    log: jsonLog(
      () => undefined,
      "ERROR",
      {},
      (line) => line,
    ),
    readSecret: async () =>
      JSON.stringify({
        engine: "imaginary",
        host: "db.example",
        port: 1234,
        username: "boss",
        password: "x",
        ssl: adminsSsl,
      }),
    describeSecret: () => Promise.reject(new Error("not asked")),
  };
  await expect(rotator.set({ current, pending, previous: async () => undefined }, context)).rejects.toMatchObject({
    code: "credentials-rejected",
  });
  return probed.some(({ tls }) => tls === false);
}

test("a password is sent in clear only where both its own secret and the admin's allow it", async () => {
  expect(await isSentInClear(true, false)).toBe(false);
  expect(await isSentInClear(false, true)).toBe(false);
  expect(await isSentInClear(false, false)).toBe(true);
});
