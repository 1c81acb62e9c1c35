import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { type DatabaseSecret, loginOf } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documentdb } from "../src/index.ts";
import { contextOf, type Fixture, single, startFixture, startTimeout, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
}, startTimeout);
afterAll(() => fixture[Symbol.asyncDispose]());

const set = (
  current: DatabaseSecret,
  pending: DatabaseSecret,
  previous?: DatabaseSecret,
  context = contextOf(fixture),
) => single().set({ current, pending, previous: async () => previous }, context);

describe("a user that may change its own password", () => {
  test("has the pending one after setSecret, and again after it was called again", async () => {
    const current = await fixture.createUser();
    const pending = await successor(current);
    for (let time = 1; time <= 3; time++) expect(await set(current, pending)).toBe("refused");
    await single().test(pending, contextOf(fixture));
    expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([false, true]);
  });

  test("goes on from AWSPREVIOUS after a roll-back", async () => {
    const older = await fixture.createUser();
    const current = { ...older, password: "never-set" };
    const pending = await successor(current);
    expect(await set(current, pending, older)).toBe("refused");
    expect(await fixture.accepts(pending)).toBe(true);
  });

  test("keeps the connections that it has", async () => {
    const current = await fixture.createUser({
      roles: [
        { role: "changeOwnPassword", db: "admin" },
        { role: "readWrite", db: "shop" },
      ],
    });
    const application = await fixture.login(current);
    await set(current, await successor(current));
    await application.collection("order").insertOne({ done: true });
    expect(await application.collection("order").countDocuments()).toBe(1);
    expect(await fixture.accepts(current)).toBe(false);
  });

  test("keeps its roles, its customData and its mechanisms", async () => {
    const current = await fixture.createUser({ more: { customData: { team: 7 }, mechanisms: ["SCRAM-SHA-1"] } });
    const before = await fixture.info(current);
    const pending = await successor(current);
    await set(current, pending);
    expect(before).toMatchObject({ mechanisms: ["SCRAM-SHA-1"], customData: { team: 7 } });
    expect(await fixture.info(current)).toEqual(before);
    expect(await fixture.accepts(pending)).toBe(true);
  });

  test.each([["SCRAM-SHA-1"], ["SCRAM-SHA-256"]])("logs in by %s alone", async (mechanism) => {
    const current = await fixture.createUser({ more: { mechanisms: [mechanism] } });
    const pending = await successor(current);
    await set(current, pending);
    expect(await fixture.accepts(pending)).toBe(true);
  });
});

test("a user is that of its authentication database, and one of the same name in another is not touched", async () => {
  const here = await fixture.createUser({ name: "same", password: "the-password" });
  const there = await fixture.createUser({ name: "same", password: "the-password", database: "other" });
  const { authSource: _, ...none } = here.userKeys;
  const inAdmin = {
    ...(await fixture.createUser({ name: "same", password: "the-password", database: "admin" })),
    userKeys: none,
  };
  const pending = await successor(here);
  await set(here, pending);
  expect(await fixture.accepts(pending)).toBe(true);
  expect([await fixture.accepts(there), await fixture.accepts(inAdmin)]).toEqual([true, true]);
  const next = await successor(inAdmin);
  await set(inAdmin, next);
  expect([await fixture.accepts(there), await fixture.accepts(next)]).toEqual([true, true]);
});

test("a user that may not change its own password: the error has the admin's commands (code 13)", async () => {
  const current = await fixture.createUser({ roles: [{ role: "readWrite", db: "shop" }] });
  await expect(set(current, await successor(current))).rejects.toMatchObject({
    code: "privilege",
    message: expect.stringMatching(/"createRole":"changeOwnPassword".*"grantRolesToUser":"app\d+".*multi-user/),
  });
  expect(await fixture.accepts(current)).toBe(true);
});

test("one connection a login, and none is left", async () => {
  let open = 0;
  let opened = 0;
  const proxy = createServer((client) => {
    opened++;
    open++;
    const upstream = connect(fixture.server.port, "127.0.0.1");
    client.pipe(upstream).pipe(client);
    client.on("close", () => open--);
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const current = { ...(await fixture.createUser()), port: address.port };
  const pending = await successor(current);
  await set(current, pending);
  expect([opened, open]).toEqual([1, 0]);
  await single().test(pending, contextOf(fixture));
  expect([opened, open]).toEqual([2, 0]);
  await expect(single().test({ ...pending, password: "other" }, contextOf(fixture))).rejects.toThrow();
  expect([opened, open]).toEqual([3, 0]);
  proxy.close();
});

test("no password is in the server's log", async () => {
  const current = await fixture.createUser({ password: "old-password-4711" });
  const pending = { ...current, password: "new-password-0815" };
  await set(current, pending);
  expect(await readFile(fixture.server.logFile, "utf8")).not.toMatch(/old-password-4711|new-password-0815/);
});

describe("hostile values are data (promise 4)", () => {
  const names = [
    "'; db.dropDatabase(); //",
    "o'brien",
    'dou"ble',
    "$where",
    "a.b$c@d:e",
    "{$ne: 1}",
    "naïve ☃",
    "admin",
    "x".repeat(200),
  ];
  test.each(names)("the name %j", async (name) => {
    const current = await fixture.createUser({ name });
    const pending = await successor(current);
    await set(current, pending);
    expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([false, true]);
  });

  const passwords = [
    "'; db.dropDatabase(); //",
    "back\\slash\\'quote\"",
    " spaces ",
    "a,b=c",
    "pässwörd ☃",
    "\u2168 \u00ad\ufb01",
    "x".repeat(200),
  ];
  test.each(passwords)("the password %j, to log in with and to set", async (password) => {
    const current = await fixture.createUser({ password });
    const between = await successor(current);
    await set(current, between);
    const pending = { ...current, password };
    await set(between, pending);
    expect([await fixture.accepts(between), await fixture.accepts(pending)]).toEqual([false, true]);
  });
});

test("an admin restores a user's password, and not that of a user that is not there", async () => {
  const secret = await fixture.createUser();
  const next = await successor(secret);
  const asAdmin = loginOf({ ...secret, ...fixture.admin, userKeys: {} });
  const session = await documentdb.login(asAdmin, contextOf(fixture));
  if (session === "rejected") throw new Error("the admin is refused");
  try {
    await session.restorePassword(secret, next.password);
    expect([await fixture.accepts(secret), await fixture.accepts(next)]).toEqual([false, true]);
    await expect(session.restorePassword({ ...secret, username: "nobody" }, "x")).rejects.toMatchObject({
      code: "wrong-target",
    });
  } finally {
    await session.close();
  }
});
