import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alternate, contextOf, type Fixture, multi, startFixture, startTimeout, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
}, startTimeout);
afterAll(() => fixture[Symbol.asyncDispose]());

const role = (name: string, db = "shop") => ({ role: name, db });
const change = (secret: DatabaseSecret, what: object) =>
  fixture.root.client.db(secret.userKeys.authSource).command({ updateUser: secret.username, ...what });
/** Its roles in order, and its data without the mark. */
async function rightsOf(secret: DatabaseSecret) {
  const { roles, customData = {} } = (await fixture.info(secret)) ?? {};
  const { quarterturn: _, ...data } = customData;
  const names = (roles as { role: string; db: string }[]).map(({ role, db }) => `${role}@${db}`);
  return { roles: names.sort(), data };
}

describe("the twin", () => {
  test("belongs to the user's own database and not the admin's, and has its roles, custom ones too, and customData", async () => {
    const first = await fixture.createUser({
      roles: [role("readWrite"), role("reporting", "admin"), role("read", "other")],
      more: { customData: { team: 7, since: new Date(0), tags: ["a", { b: 1.5 }] } },
    });
    const second = await alternate(fixture, first);
    expect(second).toMatchObject({ username: `${first.username}_clone`, userKeys: { authSource: "shop" } });
    expect(await rightsOf(second)).toEqual(await rightsOf(first));
    expect(await fixture.info(second)).toMatchObject({
      db: "shop",
      customData: { quarterturn: { twinOf: first.username } },
    });
    expect(await fixture.info({ ...second, userKeys: { authSource: "admin" } })).toBeUndefined();
    await (await fixture.login(second)).collection("order").insertOne({});
    expect([await fixture.accepts(first), await fixture.accepts(second)]).toEqual([true, true]);
  });

  test("has what the original has gained at its next rotation, and loses what the original has lost", async () => {
    const first = await fixture.createUser({
      roles: [role("read"), role("reporting", "admin")],
      more: { customData: { a: 1, b: 2 } },
    });
    const second = await alternate(fixture, first);
    const third = await alternate(fixture, second);
    await change(first, { roles: [role("readWrite")], customData: { b: 3 } });
    const fourth = await alternate(fixture, third);
    expect(await rightsOf(fourth)).toEqual({ roles: ["readWrite@shop"], data: { b: 3 } });
    await change(first, { roles: [], customData: {} });
    const sixth = await alternate(fixture, await alternate(fixture, fourth));
    expect(await rightsOf(sixth)).toEqual({ roles: [], data: {} });
  });

  test("is not written anew where nothing has changed", async () => {
    const first = await fixture.createUser({
      roles: [role("read"), role("readWrite", "other")],
      more: { customData: { n: 1 } },
    });
    const third = await alternate(fixture, await alternate(fixture, first));
    // The same in another order is the same.
    await change(first, { roles: [role("readWrite", "other"), role("read")] });
    const context = contextOf(fixture);
    await alternate(fixture, third, context);
    expect(context.lines.join()).not.toContain("anew");
  });

  test("logs in by the mechanisms of the original", async () => {
    const first = await fixture.createUser({ more: { mechanisms: ["SCRAM-SHA-1"] } });
    const second = await alternate(fixture, first);
    const third = await alternate(fixture, second);
    for (const secret of [second, third])
      expect(await fixture.info(secret)).toMatchObject({ mechanisms: ["SCRAM-SHA-1"] });
    expect([await fixture.accepts(second), await fixture.accepts(third)]).toEqual([true, true]);
  });

  test("keeps its connections, and so does the original", async () => {
    const first = await fixture.createUser({ roles: [role("readWrite")] });
    const applications = [await fixture.login(first)];
    const second = await alternate(fixture, first);
    applications.push(await fixture.login(second));
    await alternate(fixture, second);
    for (const application of applications) await application.collection("order").findOne();
  });
});

test("an admin logs in where it belongs, and the user where it does", async () => {
  const boss = await fixture.createUser({ database: "staff", roles: [role("userAdminAnyDatabase", "admin")] });
  const { username, password } = boss;
  const first = await fixture.createUser();
  for (const key of ["authSource", "dbname"]) {
    const second = await alternate(fixture, first, contextOf(fixture, { username, password, [key]: "staff" }));
    expect(await fixture.accepts(second)).toBe(true);
  }
});

test("an admin that may not give the user's roles: nothing is made, the error has the command, and the retry with the right converges", async () => {
  const weak = await fixture.createUser({ roles: [role("userAdmin")] });
  const { username, password } = weak;
  const admin = contextOf(fixture, { username, password, authSource: "shop" });
  const first = await fixture.createUser({ roles: [role("read"), role("reporting", "admin")] });
  const pending = await successor(first, multi());
  const set = (context: typeof admin) =>
    multi().set({ current: first, pending, previous: async () => undefined }, context);
  for (let time = 1; time <= 2; time++) {
    await expect(set(admin)).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringContaining(`db.getSiblingDB("shop").runCommand({"grantRolesToUser":"${username}"`),
    });
    expect(await fixture.info(pending)).toBeUndefined();
  }
  await change(weak, { roles: [role("userAdminAnyDatabase", "admin")] });
  await set(admin);
  await multi().test(pending, admin);
});

describe("a user that has the twin's name", () => {
  test("and is somebody else's is neither changed nor believed (promise 4)", async () => {
    const first = await fixture.createUser();
    const stranger = await fixture.createUser({ name: `${first.username}_clone`, more: { customData: { own: true } } });
    const before = await fixture.info(stranger);
    await expect(alternate(fixture, first)).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringContaining(`"customData":{"own":true,"quarterturn":{"twinOf":"${first.username}"}}`),
    });
    expect(await fixture.info(stranger)).toEqual(before);
    expect(await fixture.accepts(stranger)).toBe(true);
    // And the other way round: the stranger's secret must not get the password of the user that its name seems to speak of.
    await expect(alternate(fixture, stranger)).rejects.toMatchObject({ code: "wrong-target" });
    expect(await fixture.accepts(first)).toBe(true);
  });

  test("and bears another user's mark is refused too", async () => {
    const first = await fixture.createUser();
    const more = { customData: { quarterturn: { twinOf: "another" } } };
    await fixture.createUser({ name: `${first.username}_clone`, more });
    await expect(alternate(fixture, first)).rejects.toMatchObject({ code: "wrong-target" });
  });

  test("and was made by AWS's function is taken on where AWSPREVIOUS logs in as it, and becomes like the original", async () => {
    const first = await fixture.createUser({ roles: [role("read")] });
    const clone = await fixture.createUser({ name: `${first.username}_clone`, roles: [role("readWrite")] });
    const elsewhere = await fixture.createUser({ name: clone.username, password: clone.password, database: "other" });
    await expect(alternate(fixture, first, contextOf(fixture), elsewhere)).rejects.toMatchObject({
      code: "wrong-target",
    });
    const second = await alternate(fixture, first, contextOf(fixture), clone);
    expect(await rightsOf(second)).toEqual({ roles: ["read@shop"], data: {} });
    // From now on it bears the mark.
    await alternate(fixture, await alternate(fixture, second));
  });

  test("and is AWSCURRENT, made by AWS's function: the original's password is set where AWSPREVIOUS logs in as it", async () => {
    const first = await fixture.createUser();
    const clone = await fixture.createUser({ name: `${first.username}_clone` });
    const context = contextOf(fixture);
    await expect(alternate(fixture, clone, context, { ...first, password: "wrong" })).rejects.toMatchObject({
      code: "wrong-target",
      // It is AWSCURRENT's user: never a command that drops it.
      message: expect.not.stringContaining("dropUser"),
    });
    const next = await alternate(fixture, clone, context, first);
    expect(next.username).toBe(first.username);
    expect([await fixture.accepts(next), await fixture.accepts(first)]).toEqual([true, false]);
  });
});

test("a twin that was made and then left is not promoted, and the next rotation goes on from it", async () => {
  const first = await fixture.createUser({ roles: [role("readWrite")] });
  await alternate(fixture, first);
  const context = contextOf(fixture);
  const pending = await successor(first, multi());
  await expect(multi().test(pending, context)).rejects.toMatchObject({ code: "credentials-rejected" });
  await multi().set({ current: first, pending, previous: async () => undefined }, context);
  await multi().test(pending, context);
});

test.each(["O'Brien", 'dou"ble', "$where", "naïve ☃", "a.b;--", "{$ne: 1}", "at@host:1", "x".repeat(100)])(
  "hostile name %j is data (promise 4)",
  async (name) => {
    const first = await fixture.createUser({ name, roles: [role("readWrite")] });
    const third = await alternate(fixture, await alternate(fixture, first));
    await (await fixture.login(third)).collection("order").findOne();
  },
);

test("three of the same setSecret at once, several times: the pending password logs in", async () => {
  for (let round = 0; round < 3; round++) {
    const current = await fixture.createUser({ roles: [role("read")] });
    const pending = await successor(current, multi());
    const set = () => multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    await Promise.all([set(), set(), set()]);
    expect(await fixture.accepts(pending)).toBe(true);
    expect(await rightsOf(pending)).toEqual(await rightsOf(current));
  }
});
