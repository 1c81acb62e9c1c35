import { type DatabaseSecret, loginOf, type PairState, pairOf } from "@quarterturn/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documentdb } from "../src/index.ts";
import { alternate, contextOf, type Fixture, startFixture, startTimeout } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
}, startTimeout);
afterAll(() => fixture[Symbol.asyncDispose]());

/** How the secret's pair stands in the admin's eyes. */
async function inspect(secret: DatabaseSecret): Promise<PairState> {
  const login = loginOf({ ...secret, ...fixture.admin, userKeys: { authSource: "admin" } });
  const session = await documentdb.login(login, contextOf(fixture));
  if (session === "rejected") throw new Error("the admin cannot look");
  try {
    return await session.inspectPair({ ...pairOf(secret.username), userKeys: secret.userKeys });
  } finally {
    await session.close();
  }
}

test("a pair before its first rotation, and after it", async () => {
  const first = await fixture.createUser();
  expect(await inspect(first)).toEqual({ admin: "unproven", twin: "none", twinDefines: [] });
  expect(await inspect(await alternate(fixture, first))).toEqual({ admin: "unproven", twin: "known", twinDefines: [] });
});

test("a user that merely has the twin's name is unproven", async () => {
  const secret = await fixture.createUser();
  const command = { createUser: `${secret.username}_clone`, pwd: "its-own-password", roles: [] };
  await fixture.root.client.db(secret.userKeys.authSource).command(command);
  expect((await inspect(secret)).twin).toBe("unproven");
});

test("a user that is not there is told", async () => {
  const secret = await fixture.createUser();
  await expect(inspect({ ...secret, username: "nobody" })).rejects.toThrow('has no user "nobody"');
});
