import { loginOf } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Run } from "../src/connection.ts";
import { prepareSession } from "../src/server.ts";
import { accountName } from "../src/sql.ts";
import { alignTwin } from "../src/twin.ts";
import { alternate, contextOf, type Fixture, multi, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ settings: { "partial-revokes": "ON" } });
  await fixture.asRoot(
    "CREATE DATABASE shop",
    "CREATE DATABASE other",
    "CREATE TABLE shop.item (id int, price int)",
    "CREATE TABLE other.item (id int)",
    "CREATE PROCEDURE shop.count_items() SELECT 1",
    "CREATE ROLE reader, writer",
    "GRANT SELECT ON shop.* TO reader",
    "GRANT INSERT, DELETE ON other.* TO writer",
  );
});
afterAll(() => fixture[Symbol.asyncDispose]());

const on = (user: string, host = "%") => accountName({ user, host });
/** What SHOW GRANTS says of a session with its roles, without the role of the original itself; sorted. */
async function rightsOf(secret: { username: string; password: string }, original: string): Promise<string[]> {
  const rows = await fixture.query(secret, "SHOW GRANTS");
  return rows
    .map((row) => String(Object.values(row)[0]).replaceAll(on(secret.username), "USER"))
    .filter((line) => !line.startsWith(`GRANT ${on(original)} TO`) && line !== "GRANT USAGE ON *.* TO USER")
    .sort();
}
const isLocked = async (user: string) =>
  (await fixture.asRoot(`SELECT account_locked FROM mysql.user WHERE User = '${user}'`)).map(
    (row) => row.account_locked,
  );
const rich = (user: string) => [
  `GRANT SELECT, INSERT ON *.* TO ${on(user)}`,
  `REVOKE SELECT ON other.* FROM ${on(user)}`,
  `GRANT UPDATE (price), REFERENCES (id, price) ON shop.item TO ${on(user)}`,
  `GRANT DELETE ON shop.* TO ${on(user)} WITH GRANT OPTION`,
  `GRANT EXECUTE ON PROCEDURE shop.count_items TO ${on(user)} WITH GRANT OPTION`,
  `GRANT BACKUP_ADMIN ON *.* TO ${on(user)} WITH GRANT OPTION`,
  `GRANT ALL ON \`odd\\_TO\`.* TO ${on(user)}`,
];
/** An admin that may give away whatever the tests give, but not as a role: its copies are what is left. */
async function withoutRoles(): Promise<{ username: string; password: string }> {
  const username = `granter${Math.random().toString(36).slice(2, 8)}`;
  await fixture.asRoot(
    `CREATE USER ${username} IDENTIFIED BY 'granter-password'`,
    `GRANT ALL ON *.* TO ${username} WITH GRANT OPTION`,
    `REVOKE ROLE_ADMIN, SUPER ON *.* FROM ${username}`,
  );
  return { username, password: "granter-password" };
}

describe.each(["as its default role", "as copies"])("the twin has the original's rights, %s", (way) => {
  const context = async () => contextOf(fixture, way === "as copies" ? await withoutRoles() : {});

  test("exactly: WITH GRANT OPTION, columns, routines, dynamic privileges and partial revokes included", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(...rich(first.username));
    const used = await context();
    const second = await alternate(fixture, first, used);
    expect(used.lines.join().includes("copies of the original's rights")).toBe(way === "as copies");
    expect(second.username).toBe(`${first.username}_clone`);
    const rights = await rightsOf(second, first.username);
    expect(rights).toEqual(await rightsOf(first, first.username));
    expect(rights).toHaveLength(7);
    await expect(fixture.query(second, "SELECT * FROM other.item")).rejects.toMatchObject({ errno: 1142 });
  });

  test("after the original's rights have changed, revocations too", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(...rich(first.username));
    const admin = await context();
    const second = await alternate(fixture, first, admin);
    const third = await alternate(fixture, second, admin);
    await fixture.asRoot(
      `REVOKE INSERT ON *.* FROM ${on(first.username)}`,
      `REVOKE UPDATE (price), REFERENCES (id) ON shop.item FROM ${on(first.username)}`,
      `REVOKE GRANT OPTION ON shop.* FROM ${on(first.username)}`,
      `REVOKE BACKUP_ADMIN ON *.* FROM ${on(first.username)}`,
      `GRANT SELECT ON other.* TO ${on(first.username)}`,
      `REVOKE ALL ON \`odd\\_TO\`.* FROM ${on(first.username)}`,
      `GRANT SELECT ON \`odd\\_TO\`.* TO ${on(first.username)}`,
    );
    const fourth = await alternate(fixture, third, admin);
    expect(await rightsOf(fourth, first.username)).toEqual(await rightsOf(third, first.username));
    await fixture.query(fourth, "SELECT * FROM other.item");
  });

  test("with roles that the original's sessions do not start with, the twin's do not either", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(
      `GRANT reader, writer TO ${on(first.username)}`,
      `ALTER USER ${on(first.username)} DEFAULT ROLE reader`,
    );
    const admin = contextOf(fixture, fixture.server.admin);
    const second = await alternate(fixture, first, admin);
    await fixture.query(second, "SELECT * FROM shop.item");
    await expect(fixture.query(second, "DELETE FROM other.item")).rejects.toMatchObject({ errno: 1142 });
    const third = await alternate(fixture, second, admin);
    await fixture.asRoot(`ALTER USER ${on(first.username)} DEFAULT ROLE ALL`);
    const fourth = await alternate(fixture, third, admin);
    await fixture.query(fourth, "DELETE FROM other.item");
  });
});

test("REQUIRE and the limits follow the original", async () => {
  const first = await fixture.createUser();
  await fixture.asRoot(
    `ALTER USER ${on(first.username)} REQUIRE SSL WITH MAX_USER_CONNECTIONS 7 MAX_QUERIES_PER_HOUR 10000`,
  );
  const second = await alternate(fixture, first);
  const terms = () =>
    fixture.asRoot(
      `SELECT ssl_type, max_user_connections, max_questions FROM mysql.user WHERE User = '${second.username}'`,
    );
  expect(await terms()).toEqual([{ ssl_type: "ANY", max_user_connections: 7, max_questions: 10_000 }]);
  const third = await alternate(fixture, second);
  await fixture.asRoot(`ALTER USER ${on(first.username)} REQUIRE NONE WITH MAX_USER_CONNECTIONS 0`);
  await alternate(fixture, third);
  expect(await terms()).toEqual([{ ssl_type: "", max_user_connections: 0, max_questions: 10_000 }]);
});

test("a twin whose rights could not be given stays locked and is not promoted; the retry converges", async () => {
  const first = await fixture.createUser();
  await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(first.username)}`);
  // An admin that may create users and not grant: where AWS's function is at that point, the next try finds the user and promotes it.
  await fixture.asRoot(
    "CREATE USER IF NOT EXISTS weak IDENTIFIED BY 'weak-password'",
    "GRANT CREATE USER ON *.* TO weak",
    "GRANT SELECT ON mysql.* TO weak",
  );
  const weak = contextOf(fixture, { username: "weak", password: "weak-password" });
  const pending = await successor(first, multi());
  for (let time = 1; time <= 2; time++) {
    await expect(multi().set({ current: first, pending, previous: async () => undefined }, weak)).rejects.toMatchObject(
      {
        code: "privilege",
      },
    );
    expect(await isLocked(pending.username)).toEqual(["Y"]);
    await expect(multi().test(pending, weak)).rejects.toMatchObject({ name: "RotationError" });
  }
  await multi().set({ current: first, pending, previous: async () => undefined }, contextOf(fixture));
  await multi().test(pending, contextOf(fixture));
  await fixture.query(pending, "SELECT * FROM shop.item");
});

describe("an account that has the twin's name", () => {
  test("and is somebody else's is neither changed nor believed (promise 4)", async () => {
    const first = await fixture.createUser();
    const stranger = await fixture.createUser(`${first.username}_clone`);
    await expect(alternate(fixture, first)).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringContaining(`ALTER USER ${on(stranger.username)} ATTRIBUTE`),
    });
    expect(await fixture.accepts(stranger)).toBe(true);
    // And the other way round: the stranger's secret must not get the password of the user that its name seems to speak of.
    await expect(alternate(fixture, stranger)).rejects.toMatchObject({ code: "wrong-target" });
    expect(await fixture.accepts(first)).toBe(true);
  });

  test("and is somebody else's is not blocked by wrong logins of ours, however often the service tries", async () => {
    const first = await fixture.createUser();
    const stranger = await fixture.createUser(`${first.username}_clone`);
    await fixture.asRoot(`ALTER USER ${on(stranger.username)} FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED`);
    const previous = { ...stranger, password: "of-another" };
    for (let time = 1; time <= 2; time++)
      await expect(alternate(fixture, first, contextOf(fixture), previous)).rejects.toMatchObject({
        code: "wrong-target",
      });
    expect(await fixture.accepts(stranger)).toBe(true);
  });

  test("and is somebody else's, made just before ours would be, gets no right either", async () => {
    const first = await fixture.createUser();
    const twin = `${first.username}_clone`;
    const context = contextOf(fixture);
    const connection = await connect(loginOf({ ...first, ...fixture.admin }), context, false);
    if (connection === "rejected") throw new Error("the admin is refused");
    const run: Run = async (sql, ...words) => {
      if (sql.startsWith("CREATE USER")) await fixture.createUser(twin);
      return connection.run(sql, ...words);
    };
    const server = await prepareSession(run, "here", context);
    const pair = { original: first.username, twin, userKeys: {} };
    const proof = { isOurs: async () => false, currentPassword: first.password };
    await expect(alignTwin(run, server, pair, proof, "here", context)).rejects.toMatchObject({ code: "wrong-target" });
    await connection.close();
    expect(await fixture.asRoot(`SHOW GRANTS FOR ${on(twin)}`)).toHaveLength(1);
  });

  test("and was made by AWS's function is taken on where AWSPREVIOUS logs in as it, and loses what the original lost", async () => {
    const first = await fixture.createUser();
    const clone = await fixture.createUser(`${first.username}_clone`);
    await fixture.asRoot(
      `GRANT SELECT ON shop.* TO ${on(first.username)}`,
      `GRANT SELECT, DELETE ON shop.* TO ${on(clone.username)}`,
    );
    const second = await alternate(fixture, first, contextOf(fixture, fixture.server.admin), clone);
    await fixture.query(second, "SELECT * FROM shop.item");
    await expect(fixture.query(second, "DELETE FROM shop.item")).rejects.toMatchObject({ errno: 1142 });
    // From now on it bears the mark.
    const third = await alternate(fixture, second);
    await alternate(fixture, third);
  });

  test("and is AWSCURRENT, made by AWS's function: the original's password is set where AWSPREVIOUS logs in as it", async () => {
    const first = await fixture.createUser();
    const clone = await fixture.createUser(`${first.username}_clone`);
    await expect(alternate(fixture, clone, contextOf(fixture), { ...first, password: "wrong" })).rejects.toMatchObject({
      code: "wrong-target",
    });
    const next = await alternate(fixture, clone, contextOf(fixture), first);
    expect(next.username).toBe(first.username);
    expect([await fixture.accepts(next), await fixture.accepts(first)]).toEqual([true, false]);
  });
});

test("a user at several hosts has a twin at each, with one password", async () => {
  const first = await fixture.createUser("at_hosts", "pass-word", "localhost");
  await fixture.createUser("at_hosts", "pass-word", "10.%");
  await fixture.asRoot("GRANT SELECT ON shop.* TO at_hosts@localhost", "GRANT INSERT ON shop.* TO at_hosts@'10.%'");
  const second = await alternate(fixture, first);
  const accounts = await fixture.asRoot(
    "SELECT Host AS host, account_locked AS locked FROM mysql.user WHERE User = 'at_hosts_clone' ORDER BY Host",
  );
  expect(accounts).toEqual([
    { host: "10.%", locked: "N" },
    { host: "localhost", locked: "N" },
  ]);
  await fixture.query(second, "SELECT * FROM shop.item");
  await fixture.query(await alternate(fixture, second), "SELECT * FROM shop.item");
});

test("a password history does not stop a retry", async () => {
  const first = await fixture.createUser();
  const second = await alternate(fixture, first);
  await fixture.asRoot(`ALTER USER ${on(first.username)} PASSWORD HISTORY 5`);
  const pending = await successor(second, multi());
  for (let time = 1; time <= 2; time++) {
    await multi().set({ current: second, pending, previous: async () => undefined }, contextOf(fixture));
    expect(await fixture.accepts(pending)).toBe(true);
  }
});

test("a password that was used before, and is not the one that is set, is an error", async () => {
  const first = await fixture.createUser();
  await fixture.asRoot(
    `ALTER USER ${on(first.username)} PASSWORD HISTORY 5`,
    `ALTER USER ${on(first.username)} IDENTIFIED BY 'the-second'`,
    `ALTER USER ${on(first.username)} IDENTIFIED BY 'the-third'`,
  );
  const second = await alternate(fixture, { ...first, password: "the-third" });
  const pending = { ...first, password: "the-second" };
  await expect(
    multi().set({ current: second, pending, previous: async () => undefined }, contextOf(fixture)),
  ).rejects.toMatchObject({ code: "database", message: expect.stringContaining("(error 3638)") });
});

test.each(["O'Brien", 'dou"ble', "back\\slash", "back`tick", "naïve ☃", "a b;--", "? :a", "at@host", "x".repeat(26)])(
  "hostile name %j is data (promise 4)",
  async (name) => {
    const first = await fixture.createUser(name);
    await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(name)}`);
    const second = await alternate(fixture, first);
    await fixture.query(second, "SELECT * FROM shop.item");
    const third = await alternate(fixture, second);
    await fixture.query(third, "SELECT * FROM shop.item");
  },
);

test("three of the same setSecret at once, several times: the pending password logs in", async () => {
  for (let round = 0; round < 3; round++) {
    const current = await fixture.createUser();
    const pending = await successor(current, multi());
    const set = () => multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    const outcomes = await Promise.allSettled([set(), set(), set()]);
    expect(outcomes.map(({ status }) => status)).toContain("fulfilled");
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ name: "RotationError" });
    expect(await fixture.accepts(pending)).toBe(true);
    await set();
    expect(await fixture.accepts(pending)).toBe(true);
  }
});
