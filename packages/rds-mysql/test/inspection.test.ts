import { type DatabaseSecret, loginOf, type PairState, pairOf } from "@quarterturn/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mysql } from "../src/index.ts";
import { alternate, contextOf, type Fixture, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.asRoot(
    "CREATE DATABASE shop",
    "CREATE USER weak IDENTIFIED BY 'boss-password'",
    "GRANT SELECT ON *.* TO weak",
    "CREATE ROLE administration",
    "GRANT CREATE USER ON *.* TO administration",
  );
}, 300_000);
afterAll(() => fixture[Symbol.asyncDispose]());

/** How the secret's pair stands in an admin's eyes. */
async function inspect(secret: DatabaseSecret, admin = fixture.admin.username): Promise<PairState> {
  const login = loginOf({ ...secret, ...fixture.admin, username: admin });
  const session = await mysql({}).login(login, contextOf(fixture));
  if (session === "rejected") throw new Error("the admin cannot look");
  try {
    return await session.inspectPair({ ...pairOf(secret.username), userKeys: {} });
  } finally {
    await session.close();
  }
}

test("a pair before its first rotation, and after it", async () => {
  const first = await fixture.createUser();
  expect(await inspect(first)).toEqual({ admin: "able", twin: "none", twinDefines: [] });
  expect(await inspect(await alternate(fixture, first))).toEqual({ admin: "able", twin: "known", twinDefines: [] });
});

test("an admin without CREATE USER says which statement gives it; a role that is active counts", async () => {
  const secret = await fixture.createUser();
  expect((await inspect(secret, "weak")).admin).toEqual({
    what: expect.stringContaining("the admin `weak`@`%` may not make and change users"),
    advice: "Run as a user who may: GRANT CREATE USER ON *.* TO `weak`@`%`;",
  });
  await fixture.asRoot("GRANT administration TO weak");
  expect((await inspect(secret, "weak")).admin).not.toBe("able");
  await fixture.asRoot("SET DEFAULT ROLE administration TO weak");
  expect((await inspect(secret, "weak")).admin).toBe("able");
});

test("a user that merely has the twin's name is unproven, and at a host of its own a fault", async () => {
  const secret = await fixture.createUser();
  await fixture.asRoot(`CREATE USER ${secret.username}_clone`);
  expect(await inspect(secret)).toEqual({ admin: "able", twin: "unproven", twinDefines: [] });
  await fixture.asRoot(`CREATE USER ${secret.username}_clone@elsewhere`);
  expect((await inspect(secret)).twinFault?.what).toContain("elsewhere");
});

test("what the twin is the definer of is listed", async () => {
  const first = await fixture.createUser();
  await fixture.asRoot(`GRANT ALL ON shop.* TO ${first.username}`);
  const second = await alternate(fixture, first);
  const prefix = `${first.username}_`;
  await fixture.query(second, `CREATE VIEW shop.${prefix}orders AS SELECT 1 AS id`);
  await fixture.query(second, `CREATE PROCEDURE shop.${prefix}work() SELECT 1`);
  expect((await inspect(second)).twinDefines).toEqual([`procedure shop.${prefix}work`, `view shop.${prefix}orders`]);
});
