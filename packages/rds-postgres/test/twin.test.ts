import type { DatabaseSecret } from "@quarterturn/database";
import { escapeIdentifier } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { losesRoleAtDiscard } from "../src/twin.ts";
import {
  alternate,
  contextOf,
  currentMinors,
  type Fixture,
  multi,
  single,
  startFixture,
  successor,
} from "./fixture.ts";

describe.each(currentMinors)("the twin on PostgreSQL %s acts as its original", (version) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await startFixture({ version });
    await fixture.superuser.query("CREATE SCHEMA shop; GRANT ALL ON SCHEMA shop TO PUBLIC");
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  test("what either user creates belongs to the original, and both can use and change it (weakness 6)", async () => {
    const first = await fixture.createUser();
    const second = await alternate(fixture, first);
    expect(second.username).toBe(`${first.username}_clone`);
    const [identity] = await fixture.query(second, "SELECT current_user, session_user");
    expect(identity).toEqual({ current_user: first.username, session_user: second.username });

    const table = `shop.${first.username}_orders`;
    await fixture.query(second, `CREATE TABLE ${table} (id int)`);
    const third = await alternate(fixture, second);
    expect(third.username).toBe(first.username);
    await fixture.query(third, `INSERT INTO ${table} VALUES (1); ALTER TABLE ${table} ADD note text`);
    const fourth = await alternate(fixture, third);
    expect(await fixture.query(fourth, `SELECT id FROM ${table}`)).toEqual([{ id: 1 }]);
    await fixture.query(fourth, `DROP TABLE ${table}`);
    // The user that was current before still logs in: its sessions and pools live on.
    await fixture.query(third, "SELECT 1");
  });

  test("settings, also of one database, limits and validity follow the original at every rotation", async () => {
    const first = await fixture.createUser();
    const name = escapeIdentifier(first.username);
    await fixture.superuser.query(`
      CREATE DATABASE "of ${first.username}";
      `);
    await fixture.superuser.query(`
      ALTER ROLE ${name} SET search_path TO shop, "Odd, name", "$user", "quo""te";
      ALTER ROLE ${name} SET work_mem TO '7MB';
      ALTER ROLE ${name} SET application_name TO 'it''s, \\ "so"';
      ALTER ROLE ${name} IN DATABASE "of ${first.username}" SET statement_timeout TO 12345;
      ALTER ROLE ${name} CONNECTION LIMIT 17 VALID UNTIL '2199-05-06 07:08:09+00'`);
    // As this admin would see a time, it is another one when it is read again: IST is taken for Israel's.
    await fixture.superuser.query(
      "ALTER ROLE boss SET datestyle TO 'SQL, DMY'; ALTER ROLE boss SET timezone TO 'Asia/Kolkata'",
    );
    const second = await alternate(fixture, first);
    await fixture.superuser.query("ALTER ROLE boss RESET ALL");
    const show = (secret: DatabaseSecret, setting: string, database?: string) =>
      fixture.query(secret, `SELECT current_setting('${setting}') AS value`, database).then(([row]) => row?.value);
    const attributes = () =>
      fixture.superuser
        .query(
          "SELECT rolconnlimit, (rolvaliduntil AT TIME ZONE 'UTC')::text AS rolvaliduntil FROM pg_roles WHERE rolname = $1",
          [second.username],
        )
        .then(({ rows }) => rows[0]);

    for (const setting of ["search_path", "work_mem", "application_name"])
      expect(await show(second, setting)).toBe(await show(first, setting));
    expect(await show(second, "search_path")).toBe('shop, "Odd, name", "$user", "quo""te"');
    expect(await show(second, "application_name")).toBe('it\'s, \\ "so"');
    expect(await show(second, "statement_timeout", `of ${first.username}`)).toBe("12345ms");
    expect(await show(second, "statement_timeout")).toBe("0");
    expect(await attributes()).toMatchObject({
      rolconnlimit: 17,
      rolvaliduntil: "2199-05-06 07:08:09",
    });

    const third = await alternate(fixture, second);
    await fixture.superuser.query(`
      ALTER ROLE ${name} RESET work_mem; ALTER ROLE ${name} SET search_path TO shop;
      ALTER ROLE ${name} IN DATABASE "of ${first.username}" RESET ALL; ALTER ROLE ${name} CONNECTION LIMIT -1 VALID UNTIL 'infinity'`);
    const fourth = await alternate(fixture, third);
    expect(await show(fourth, "work_mem")).toBe("4MB");
    expect(await show(fourth, "search_path")).toBe("shop");
    expect(await show(fourth, "statement_timeout", `of ${first.username}`)).toBe("0");
    expect(await attributes()).toMatchObject({ rolconnlimit: -1, rolvaliduntil: "infinity" });
  });

  test("a rotation in which nothing differs writes nothing but the password", async () => {
    const first = await fixture.createUser();
    const third = await alternate(fixture, await alternate(fixture, first));
    const rows = async () =>
      (
        await fixture.superuser.query(
          "SELECT xmin::text, * FROM pg_db_role_setting UNION ALL SELECT m.xmin::text, m.member, m.roleid, NULL FROM pg_auth_members m ORDER BY 1, 2, 3",
        )
      ).rows;
    const before = await rows();
    await alternate(fixture, third);
    expect(await rows()).toEqual(before);
  });

  test("a setting that the admin may not set is said with its statement, and the rotation goes on", async () => {
    const first = await fixture.createUser();
    await fixture.superuser.query(
      `ALTER ROLE ${first.username} SET log_statement TO 'all'; ALTER ROLE ${first.username} SET my.key TO 'jwt-key'; ALTER ROLE ${first.username} SET work_mem TO '9MB'`,
    );
    const context = contextOf(fixture);
    const second = await alternate(fixture, first, context);
    const told = (name: string) => ({
      level: "WARN",
      sqlstate: "42501",
      statement: `ALTER ROLE "${second.username}" SET ${name} TO <the original's value, see pg_db_role_setting>;`,
    });
    const lines = context.lines.map((line) => JSON.parse(line) as unknown);
    expect(lines).toContainEqual(expect.objectContaining(told('"log_statement"')));
    expect(lines).toContainEqual(expect.objectContaining(told('"my"."key"')));
    // Applications keep keys in settings.
    expect(context.lines.join()).not.toContain("jwt-key");
    expect(await fixture.query(second, "SHOW work_mem")).toEqual([{ work_mem: "9MB" }]);
  });

  test("an original whose own setting makes it another role: the twin becomes that one too", async () => {
    const first = await fixture.createUser();
    const owner = `${first.username}_owner`;
    await fixture.superuser.query(
      `CREATE ROLE ${owner}; GRANT ${owner} TO ${first.username}; ALTER ROLE ${first.username} SET role TO '${owner}'`,
    );
    const second = await alternate(fixture, first);
    expect(await fixture.query(second, "SELECT current_user")).toEqual([{ current_user: owner }]);
  });

  /** What AWS's function leaves: the twin, a member and nothing more. */
  async function twinByAws(of: DatabaseSecret): Promise<DatabaseSecret> {
    const clone = `${of.username}_clone`;
    await fixture.superuser.query(
      `CREATE ROLE ${clone} WITH LOGIN PASSWORD 'by-aws'; GRANT ${of.username} TO ${clone}; GRANT ${clone} TO boss WITH ADMIN OPTION`,
    );
    return { ...of, username: clone, password: "by-aws" };
  }
  const warnings = (context: { lines: readonly string[] }) =>
    context.lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ level }) => level === "WARN");

  test("a twin that AWS's function made is adopted, and acts as its original from then on", async () => {
    const first = await fixture.createUser();
    await twinByAws(first);
    const context = contextOf(fixture);
    const second = await alternate(fixture, first, context);
    expect(await fixture.query(second, "SELECT current_user")).toEqual([{ current_user: first.username }]);
    expect(warnings(context)).toEqual([]);
  });

  test("a twin that AWS's function made and that owns something keeps the use of it; the log says how to mend it", async () => {
    const first = await fixture.createUser();
    const twin = await twinByAws(first);
    await fixture.query(twin, `CREATE TABLE shop.${twin.username}_orders ()`);
    const context = contextOf(fixture);
    const second = await alternate(fixture, first, context);
    await fixture.query(second, `ALTER TABLE shop.${twin.username}_orders ADD id int`);
    const statement = `REASSIGN OWNED BY "${twin.username}" TO "${first.username}";`;
    const own = { twin: twin.username, objects: 1, rights: 0, databases: ["postgres"], memberships: [], statement };
    expect(warnings(context)).toEqual([expect.objectContaining(own)]);

    // In the original's turn it is out of reach, as with AWS's function: the log says so before somebody else does.
    const back = contextOf(fixture);
    const third = await alternate(fixture, second, back);
    expect(warnings(back)).toEqual([
      expect.objectContaining({ ...own, message: expect.stringContaining("out of the application's reach") }),
    ]);

    await fixture.superuser.query(statement);
    const fourth = await alternate(fixture, third);
    expect(await fixture.query(fourth, "SELECT current_user")).toEqual([{ current_user: first.username }]);
    await fixture.query(fourth, `ALTER TABLE shop.${twin.username}_orders ADD note text`);
  });

  test.each([
    [
      "rights",
      "CREATE TABLE shop.report_of_CLONE (); GRANT SELECT ON shop.report_of_CLONE TO CLONE",
      "SELECT * FROM shop.report_of_CLONE",
    ],
    [
      "a membership",
      "CREATE ROLE readers_of_CLONE; CREATE TABLE shop.read_by_CLONE (); GRANT SELECT ON shop.read_by_CLONE TO readers_of_CLONE; GRANT readers_of_CLONE TO CLONE",
      "SELECT * FROM shop.read_by_CLONE",
    ],
    [
      "a setting",
      "CREATE TABLE shop.found_by_CLONE (); GRANT SELECT ON shop.found_by_CLONE TO PUBLIC; ALTER ROLE CLONE SET search_path TO shop",
      "SELECT * FROM found_by_CLONE",
    ],
  ])(
    "a twin that AWS's function made and that was given %s by hand keeps it, and the log says so",
    async (_what, given, used) => {
      const first = await fixture.createUser();
      const twin = await twinByAws(first);
      await fixture.superuser.query(given.replaceAll("CLONE", twin.username));
      const context = contextOf(fixture);
      const second = await alternate(fixture, first, context);
      await fixture.query(second, used.replaceAll("CLONE", twin.username));
      expect(warnings(context)).toEqual([
        expect.objectContaining({ twin: twin.username, message: expect.stringContaining("acts as itself") }),
      ]);
    },
  );

  test("rotating from a twin that AWS's function made and that is current works too", async () => {
    const first = await fixture.createUser();
    const clone = `${first.username}_clone`;
    await fixture.superuser.query(
      `CREATE ROLE ${clone} WITH LOGIN PASSWORD 'by-aws'; GRANT ${first.username} TO ${clone}; GRANT ${clone} TO boss WITH ADMIN OPTION`,
    );
    const next = await alternate(fixture, { ...first, username: clone, password: "by-aws" });
    expect(next.username).toBe(first.username);
    await fixture.query(next, "SELECT 1");
  });

  test("a membership that does not let the twin act as its original is widened", async () => {
    const first = await fixture.createUser();
    const clone = `${first.username}_clone`;
    const options = Number(version) >= 16 ? " WITH INHERIT FALSE, SET FALSE" : "";
    await fixture.superuser.query(
      `CREATE ROLE ${clone} NOINHERIT LOGIN; GRANT ${first.username} TO ${clone}${options}`,
    );
    const second = await alternate(fixture, first, contextOf(fixture, fixture.server.admin));
    expect(await fixture.query(second, "SELECT current_user")).toEqual([{ current_user: first.username }]);
  });

  test("a role that merely has the twin's name is not touched (promise 4)", async () => {
    const first = await fixture.createUser();
    const stranger = await fixture.createUser(`${first.username}_clone`);
    await expect(alternate(fixture, first)).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringMatching(/not a member of/),
    });
    expect(await fixture.query(stranger, "SELECT current_user")).toEqual([{ current_user: stranger.username }]);
    // And the other way round: the stranger's secret must not give away the password of the user that its name seems to speak of.
    await expect(alternate(fixture, stranger)).rejects.toMatchObject({ code: "wrong-target" });
    await fixture.query(first, "SELECT 1");
  });

  test("rights that are missing are told at once, with the statements that give them, and nothing is left half made", async () => {
    const name = `private_${version}`;
    await fixture.superuser.query(`CREATE ROLE ${name} LOGIN PASSWORD 'pass-word'`);
    const first = { ...(await fixture.createUser()), username: name, password: "pass-word" };
    const weak = { username: `weak_${version}`, password: "weak-password" };
    await fixture.superuser.query(`CREATE ROLE ${weak.username} LOGIN PASSWORD 'weak-password'`);
    const statements = await remedyOf(alternate(fixture, first, contextOf(fixture, weak)));
    expect((await fixture.superuser.query("SELECT FROM pg_roles WHERE rolname = $1", [`${name}_clone`])).rowCount).toBe(
      0,
    );
    await fixture.superuser.query(statements);
    await fixture.query(await alternate(fixture, first, contextOf(fixture, weak)), "SELECT 1");
  });

  test("an admin without CREATEROLE is told so; a pair that exists is used as it is (weakness 14)", async () => {
    const first = await fixture.createUser();
    const clone = `${first.username}_clone`;
    await fixture.superuser.query(
      `CREATE ROLE ${clone} LOGIN; GRANT ${first.username} TO ${clone}; ALTER ROLE ${clone} SET role TO '${first.username}'; GRANT ${clone} TO boss WITH ADMIN OPTION`,
    );
    await fixture.superuser.query("ALTER ROLE boss NOCREATEROLE");
    try {
      // To change a password needs CREATEROLE in every version.
      await fixture.superuser.query(await remedyOf(alternate(fixture, first)));
    } finally {
      await fixture.superuser.query("ALTER ROLE boss CREATEROLE");
    }
    await fixture.query(await alternate(fixture, first), "SELECT 1");
  });

  test("a role setting that the original may not use, or none, leaves the twin acting as the original", async () => {
    for (const role of ["none", "postgres"]) {
      const first = await fixture.createUser();
      await fixture.superuser.query(`ALTER ROLE ${first.username} SET role TO '${role}'`);
      const second = await alternate(fixture, first);
      expect(await fixture.query(second, "SELECT current_user")).toEqual([{ current_user: first.username }]);
    }
  });

  test("a membership that gives nothing is not enough to have the original's password changed (promise 4)", async () => {
    const victim = await fixture.createUser();
    const attacker = await fixture.createUser(`${victim.username}_clone`);
    const options = Number(version) >= 16 ? " WITH INHERIT FALSE, SET FALSE" : "";
    await fixture.superuser.query(`GRANT ${victim.username} TO ${attacker.username}${options}`);
    const outcome = await alternate(fixture, attacker).then(
      () => "done",
      (error: { code: string }) => error.code,
    );
    // Before 16 a membership always lets its member act as the other: there the two are a pair.
    expect(outcome).toBe(Number(version) >= 16 ? "wrong-target" : "done");
    if (outcome === "done") return;
    await fixture.query(victim, "SELECT 1");
    // What a user sets for itself proves nothing.
    await fixture.query(attacker, `ALTER ROLE ${attacker.username} SET role TO '${victim.username}'`);
    await expect(alternate(fixture, attacker)).rejects.toMatchObject({ name: "RotationError" });
    await fixture.query(victim, "SELECT 1");
  });

  test("REPLICATION, which membership does not carry over, is given to the twin or told with its statement", async () => {
    const first = await fixture.createUser();
    await fixture.superuser.query(`ALTER ROLE ${first.username} REPLICATION`);
    const statement = `ALTER ROLE "${first.username}_clone" REPLICATION;`;
    await expect(alternate(fixture, first)).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringContaining(statement),
    });
    const context = contextOf(fixture, fixture.server.admin);
    const second = await alternate(fixture, first, context);
    expect(await fixture.query(second, "SELECT rolreplication FROM pg_roles WHERE rolname = session_user")).toEqual([
      { rolreplication: true },
    ]);
    await fixture.superuser.query(`ALTER ROLE ${first.username} NOREPLICATION`);
    const third = await alternate(fixture, second, context);
    await alternate(fixture, third, contextOf(fixture, fixture.server.admin));
    expect(
      (await fixture.superuser.query("SELECT rolreplication FROM pg_roles WHERE rolname = $1", [second.username])).rows,
    ).toEqual([{ rolreplication: false }]);
  });

  test.each(["O'Brien", 'dou"ble', "back\\slash", "naïve 用户 🔑", "a b;--", "$1", "%s", "x".repeat(57)])(
    "hostile name %j is data (promise 4)",
    async (name) => {
      const first = await fixture.createUser(`${name}`);
      const second = await alternate(fixture, first);
      const third = await alternate(fixture, second);
      expect(await fixture.query(second, "SELECT current_user, session_user")).toEqual([
        { current_user: name, session_user: `${name}_clone` },
      ]);
      await fixture.query(third, "SELECT 1");
    },
  );

  test("two of the same setSecret at once, several times: both end, and the pending password logs in", async () => {
    for (let round = 0; round < 5; round++) {
      const current = await fixture.createUser();
      const pending = await successor(current, multi());
      const set = () => multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
      await Promise.all([set(), set(), set()]);
      expect(await fixture.query(pending, "SELECT current_user")).toEqual([{ current_user: current.username }]);
    }
  });
});

describe("minor releases in which a user's role setting is not what it should be", () => {
  test("17.0 forgets it at DISCARD ALL: the log says so", async () => {
    await using fixture = await startFixture({ version: "17.0" });
    const context = contextOf(fixture);
    const second = await alternate(fixture, await fixture.createUser(), context);
    expect(await fixture.query(second, "SELECT current_user <> session_user AS acts")).toEqual([{ acts: true }]);
    expect(context.lines.join()).toContain("After DISCARD ALL");
  });

  test("17.1 ignores it: testSecret refuses, so that the twin is not promoted; one that is current can be rotated away from, and by single-user", async () => {
    await using fixture = await startFixture({ version: "17.1" });
    const first = await fixture.createUser();
    await expect(alternate(fixture, first)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(/act as itself.*17\.1/),
    });

    const current = { ...first, username: `${first.username}_clone`, password: "twin-password" };
    await fixture.superuser.query(`ALTER ROLE ${current.username} PASSWORD 'twin-password'`);
    const third = await alternate(fixture, current);
    await fixture.query(third, "SELECT 1");

    // The error's advice. What setSecret has done must not be kept from being promoted.
    const pending = await successor(current);
    const set = () => single().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    await set();
    await single().test(pending, contextOf(fixture));
    await set();
  });

  test("they are known by number", () => {
    for (const number of [130_017, 140_014, 150_008, 160_004, 170_000, 170_001])
      expect(losesRoleAtDiscard(number)).toBe(true);
    for (const number of [140_022, 150_018, 160_014, 170_010, 180_000, 180_004])
      expect(losesRoleAtDiscard(number)).toBe(false);
  });
});

/** The statements that an error of a missing right tells an operator to run. */
async function remedyOf(rotation: Promise<unknown>): Promise<string> {
  const error: { code?: string; message?: string } = await rotation.then(
    () => ({}),
    (thrown) => thrown,
  );
  expect(error.code).toBe("privilege");
  return /Run as a role that may: ([^([]*;)/.exec(error.message ?? "")?.[1] ?? "";
}
