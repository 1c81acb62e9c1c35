/** Passwords that change while others change them, servers that decide otherwise, and what their logs hold. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { deadlineOf, RotationError } from "@quarterturn/core";
import { type DatabaseSecret, loginOf } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mysql } from "../src/index.ts";
import { accountName, literal } from "../src/sql.ts";
import { alternate, contextOf, type Fixture, single, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ settings: { "general-log": "ON" } });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const set = (current: DatabaseSecret, pending: DatabaseSecret, context = contextOf(fixture)) =>
  single().set({ current, pending, previous: async () => undefined }, context);
const discard = (current: DatabaseSecret, previous: DatabaseSecret, context = contextOf(fixture)) =>
  single({ OLD_PASSWORD: "discard" }).retire?.({ current, previous }, context);
const on = ({ username }: DatabaseSecret) => accountName({ user: username, host: "%" });
const mayKeepTwo = (secret: DatabaseSecret) => `GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${on(secret)}`;
async function dualUser(): Promise<DatabaseSecret> {
  const secret = await fixture.createUser();
  await fixture.asRoot(mayKeepTwo(secret));
  return secret;
}
const accepted = (...secrets: readonly DatabaseSecret[]) => Promise.all(secrets.map((each) => fixture.accepts(each)));

describe("two tries at once", () => {
  test("of a user with one password: none of them says that AWSCURRENT is valid", async () => {
    for (let round = 0; round < 5; round++) {
      const current = await fixture.createUser();
      const pending = await successor(current);
      expect(await Promise.all([set(current, pending), set(current, pending)])).toEqual(["refused", "refused"]);
      expect(await accepted(current, pending)).toEqual([false, true]);
    }
  });

  test("a late one of a rotation that was given up does not overwrite the password of the next", async () => {
    const current = await dualUser();
    const [abandoned, pending] = [await successor(current), await successor(current)];
    await set(current, pending);
    const late = {
      ...contextOf(fixture),
      requirePending: async () => Promise.reject(new RotationError("not-staged", "It is over", "Begin anew.")),
    };
    await expect(set(current, abandoned, late)).rejects.toMatchObject({ code: "not-staged" });
    expect(await accepted(current, abandoned, pending)).toEqual([true, false, true]);
  });
});

test("a retry finds what an earlier try did although the user has no connection left", async () => {
  const current = await dualUser();
  await fixture.asRoot(`ALTER USER ${on(current)} WITH MAX_USER_CONNECTIONS 1`);
  const [abandoned, pending] = [await successor(current), await successor(current)];
  for (const next of [abandoned, abandoned, pending, pending]) expect(await set(current, next)).toBe("valid");
  expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([true, true]);
});

test("a password that was changed by somebody else since the login is not set back", async () => {
  const current = await dualUser();
  const [others, pending] = [await successor(current), await successor(current)];
  const session = await mysql({}).login(loginOf(current), contextOf(fixture));
  if (session === "rejected") throw new Error("the user is refused");
  await fixture.asRoot(`ALTER USER ${on(current)} IDENTIFIED BY ${literal(others.password)}`);
  await expect(session.changePassword(pending.password)).rejects.toMatchObject({ code: "superseded" });
  await session.close();
  expect(await accepted(current, others, pending)).toEqual([false, true, false]);
});

describe("an old password that cannot be discarded is told, with the admin's statement", () => {
  const told = (user: DatabaseSecret) =>
    expect.objectContaining({ level: "WARN", statement: `ALTER USER ${on(user)} DISCARD OLD PASSWORD;` });

  test("by a user that no longer may: it logs in still", async () => {
    const first = await dualUser();
    const second = await successor(first);
    await set(first, second);
    await fixture.asRoot(`REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM ${on(first)}`);
    const third = await successor(second);
    await set(second, third);
    const context = contextOf(fixture);
    await discard(third, second, context);
    expect(await accepted(first, second, third)).toEqual([true, false, true]);
    expect(context.lines.map((line) => JSON.parse(line))).toContainEqual(told(first));
    await fixture.asRoot(`ALTER USER ${on(first)} DISCARD OLD PASSWORD`);
    expect(await accepted(first, third)).toEqual([false, true]);
  });

  test("by a user with a history of passwords", async () => {
    const first = await dualUser();
    await fixture.asRoot(`ALTER USER ${on(first)} PASSWORD HISTORY 5`);
    const second = await successor(first);
    await set(first, second);
    const context = contextOf(fixture);
    await discard(second, first, context);
    expect(await accepted(first, second)).toEqual([true, true]);
    expect(context.lines.map((line) => JSON.parse(line))).toContainEqual(told(first));
  });
});

describe("a server whose defaults are others", () => {
  const withGlobal = async (setting: string, before: string, work: () => Promise<void>) => {
    await fixture.asRoot(`SET GLOBAL ${setting}`);
    try {
      await work();
    } finally {
      await fixture.asRoot(`SET GLOBAL ${before}`);
    }
  };
  const rotates = async () => {
    const current = await dualUser();
    const pending = await successor(current);
    await set(current, pending);
    expect(await accepted(current, pending)).toEqual([true, true]);
    const second = await alternate(fixture, await fixture.createUser());
    expect(await fixture.accepts(second)).toBe(true);
  };

  test("transactions are read-only", () =>
    withGlobal("transaction_read_only = ON", "transaction_read_only = OFF", rotates));
  test("results have one row", () => withGlobal("sql_select_limit = 1", "sql_select_limit = DEFAULT", rotates));

  test("init_connect sets another encoding: a password outside ASCII is the one that logs in", () =>
    withGlobal("init_connect = 'SET NAMES latin1'", "init_connect = ''", async () => {
      const current = await dualUser();
      const pending = { ...current, password: "pässwörd ☃ 🔑" };
      await set(current, pending);
      await single().test(pending, contextOf(fixture));
      await fixture.asRoot("SET GLOBAL init_connect = ''");
      expect(await accepted(current, pending)).toEqual([true, true]);
    }));

  test("an encoding in which a character ends in a backslash does not make a password a statement (promise 4)", async () => {
    // No tracking, so that the driver does not learn of it.
    const settings = { "init-connect": "SET NAMES gbk", "session-track-system-variables": "" };
    await using other = await startFixture({ settings });
    const dba = await other.createUser("dba");
    const current = await other.createUser();
    const password = '☃\\\', `dba`@`%` IDENTIFIED BY "owned" ACCOUNT UNLOCK -- ';
    const pending = { ...current, username: `${current.username}_clone`, password };
    await alternate(other, current, contextOf(other), undefined, pending);
    expect(await other.accepts(dba)).toBe(true);
    expect(await other.accepts({ ...dba, password: "owned" })).toBe(false);
  });

  test("read-only, and an admin who may write all the same: a replica is not written to", async () => {
    const current = await fixture.createUser();
    await withGlobal("read_only = ON", "read_only = OFF", async () => {
      const bold = contextOf(fixture, fixture.server.admin);
      await expect(alternate(fixture, current, bold)).rejects.toMatchObject({
        code: "unsupported",
        message: expect.stringContaining("read-only"),
      });
    });
    expect(await fixture.asRoot(`SELECT 1 FROM mysql.user WHERE User = '${current.username}_clone'`)).toEqual([]);
  });

  test("a lock that is held for longer than the step: the statement is given up by the server, too, and not run later", async () => {
    const current = await dualUser();
    const pending = await successor(current);
    await fixture.asRoot("FLUSH TABLES WITH READ LOCK");
    const end = Date.now() + 2_000;
    try {
      await expect(
        set(current, pending, { ...contextOf(fixture), deadline: deadlineOf(() => end - Date.now()) }),
      ).rejects.toMatchObject({ name: "RotationError" });
      await sleep(end - Date.now());
    } finally {
      await fixture.asRoot("UNLOCK TABLES");
    }
    expect(await accepted(current, pending)).toEqual([true, false]);
  });
});

test("an account that too many wrong logins have blocked is told as that, with what the function's own tries do", async () => {
  const current = await fixture.createUser();
  await fixture.asRoot(`ALTER USER ${on(current)} FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1`);
  const wrong = { ...current, password: "wrong" };
  await expect(set(wrong, { ...current, password: "wrong, too" })).rejects.toMatchObject({
    code: "credentials-rejected",
    message: expect.stringMatching(/FAILED_LOGIN_ATTEMPTS.*ACCOUNT UNLOCK/),
  });
});

test("MySQL's general log holds no password of a multi-user rotation, either: it writes <secret>", async () => {
  const first = await fixture.createUser();
  const second = await alternate(fixture, first);
  const third = await alternate(fixture, second);
  await alternate(fixture, third);
  const log = await readFile(fixture.server.logFile, "utf8");
  expect(log).toMatch(/CREATE USER .*_clone'@'%' IDENTIFIED WITH 'caching_sha2_password' BY <secret> .*ACCOUNT LOCK/);
  expect(log).toMatch(/ALTER USER .*_clone'@'%' IDENTIFIED WITH 'caching_sha2_password' BY <secret> .*ACCOUNT UNLOCK/);
  for (const { password } of [second, third]) expect(log).not.toContain(password);
});

describe("restorePassword", () => {
  /** What an admin does to the user of a secret. */
  async function restore(secret: DatabaseSecret, password: string): Promise<void> {
    const session = await mysql({}).login(loginOf({ ...secret, ...fixture.admin }), contextOf(fixture));
    if (session === "rejected") throw new Error("the admin is refused");
    try {
      await session.restorePassword(secret, password);
    } finally {
      await session.close();
    }
  }

  test("gives the user the password that the secret has, also twice", async () => {
    const secret = await fixture.createUser();
    const next = await successor(secret);
    await restore(secret, next.password);
    await restore(secret, next.password);
    expect(await accepted(secret, next)).toEqual([false, true]);
  });

  test("refuses a name that is nobody's, or several accounts'", async () => {
    const secret = await fixture.createUser();
    await expect(restore({ ...secret, username: "nobody" }, "x")).rejects.toMatchObject({ code: "wrong-target" });
    await fixture.createUser(secret.username, "another", "localhost");
    await expect(restore(secret, "x")).rejects.toMatchObject({
      code: "wrong-target",
      what: expect.stringMatching(/several accounts .*@`%`, .*@`localhost`|several accounts .*@`localhost`, .*@`%`/),
    });
  });
});

describe("discardOtherPasswords", () => {
  /** What somebody does to the user of a secret, logged in with its password. @param between happens when the session is open */
  async function discardOthers(secret: DatabaseSecret, between = async (): Promise<unknown> => undefined) {
    const session = await mysql({}).login(loginOf(secret), contextOf(fixture));
    if (session === "rejected") throw new Error("the user is refused");
    try {
      await between();
      await session.discardOtherPasswords?.();
    } finally {
      await session.close();
    }
  }

  async function withTwoPasswords(rule?: string): Promise<[older: DatabaseSecret, newer: DatabaseSecret]> {
    const older = await dualUser();
    if (rule) await fixture.asRoot(`ALTER USER ${on(older)} ${rule}`);
    const newer = await successor(older);
    await set(older, newer);
    expect(await accepted(older, newer)).toEqual([true, true]);
    return [older, newer];
  }

  test("ends the older password, also twice", async () => {
    const [older, newer] = await withTwoPasswords();
    await discardOthers(newer);
    await discardOthers(newer);
    expect(await accepted(older, newer)).toEqual([false, true]);
  });

  test("ends the newer password where the older one is the secret's, as after a rollback; the next rotation keeps it", async () => {
    const [older, newer] = await withTwoPasswords();
    await discardOthers(older);
    expect(await accepted(older, newer)).toEqual([true, false]);
    const next = await successor(older);
    expect(await set(older, next)).toBe("valid");
    expect(await accepted(older, next)).toEqual([true, true]);
  });

  test("a user that has lost the right is told the admin's statement, and has both still", async () => {
    const [older, newer] = await withTwoPasswords();
    await fixture.asRoot(`REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM ${on(newer)}`);
    await expect(discardOthers(newer)).rejects.toMatchObject({
      code: "privilege",
      advice: expect.stringContaining(mayKeepTwo(newer)),
    });
    expect(await accepted(older, newer)).toEqual([true, true]);
  });

  test("a user with a history of passwords is told to rotate, which ends the older one", async () => {
    const [older, newer] = await withTwoPasswords("PASSWORD HISTORY 5");
    await expect(discardOthers(newer)).rejects.toMatchObject({ advice: expect.stringContaining("rotate") });
    expect(await accepted(older, newer)).toEqual([true, true]);
    const next = await successor(newer);
    await set(newer, next);
    expect(await accepted(older, newer, next)).toEqual([false, true, true]);
  });

  test("where PASSWORD REQUIRE CURRENT forbids it, an older password of the secret's stays as it is", async () => {
    const [older, newer] = await withTwoPasswords();
    await fixture.asRoot(`ALTER USER ${on(older)} PASSWORD REQUIRE CURRENT`);
    await expect(discardOthers(older)).rejects.toMatchObject({
      code: "privilege",
      advice: expect.stringContaining("PASSWORD REQUIRE CURRENT OPTIONAL"),
    });
    expect(await accepted(older, newer)).toEqual([true, true]);
  });

  test("a password that was changed by somebody else since the login is not set back", async () => {
    const [, newer] = await withTwoPasswords();
    const another = await successor(newer);
    const change = () =>
      fixture.asRoot(
        `ALTER USER ${on(newer)} IDENTIFIED BY ${literal(another.password)}`,
        `ALTER USER ${on(newer)} DISCARD OLD PASSWORD`,
      );
    await expect(discardOthers(newer, change)).rejects.toMatchObject({ code: "superseded" });
    expect(await accepted(newer, another)).toEqual([false, true]);
  });
});
