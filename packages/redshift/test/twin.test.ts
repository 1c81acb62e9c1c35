import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { alternate, contextOf, type Fixture, multi, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.run("CREATE GROUP analysts", "CREATE GROUP interns", 'CREATE ROLE "reader"', 'CREATE ROLE "writer"');
  await fixture.server.superuser.query(`
    CREATE SCHEMA sales; CREATE TABLE sales.orders (id int, price int); CREATE TABLE sales.items (id int);
    CREATE VIEW sales.recent AS SELECT * FROM sales.orders;
    CREATE FUNCTION sales.twice(n int, w text) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
    CREATE PROCEDURE sales.clean() LANGUAGE sql AS 'DELETE FROM sales.items';
    REVOKE EXECUTE ON FUNCTION sales.twice(int, text) FROM PUBLIC;
    REVOKE EXECUTE ON PROCEDURE sales.clean() FROM PUBLIC;
    REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
    CREATE USER loader`);
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** What the catalogue says of one of a pair, told as `ME` and `OTHER`. */
async function facts(me: string, other: string): Promise<unknown> {
  const queries = [
    "SELECT createdb, superuser, connection_limit, syslog_access, session_timeout FROM svv_user_info WHERE user_name = $1",
    "SELECT valuntil, useconfig FROM pg_user_info WHERE usename = $1",
    "SELECT groname FROM pg_group, pg_user WHERE usename = $1 AND usesysid = ANY (grolist) AND groname <> 'quarterturn_twins'",
    "SELECT role_name, admin_option FROM svv_user_grants WHERE user_name = $1",
    ...["relation", "column", "schema", "database", "function", "language"].map(
      (kind) => `SELECT *, 0 AS identity_id FROM svv_${kind}_privileges WHERE identity_name = $1`,
    ),
    "SELECT *, 0 AS owner_id, 0 AS grantee_id FROM svv_default_privileges WHERE $1 IN (owner_name, grantee_name) AND owner_name <> grantee_name",
  ];
  const answers: unknown[][] = [];
  for (const sql of queries) answers.push((await fixture.server.superuser.query(sql, [me])).rows);
  const told = JSON.stringify(answers)
    .replaceAll(JSON.stringify(me), '"ME"')
    .replaceAll(JSON.stringify(other), '"OTHER"');
  return (JSON.parse(told) as unknown[][]).map((rows) => rows.map((row) => JSON.stringify(row)).sort());
}

async function expectAlike(original: string): Promise<void> {
  const twin = `${original}_clone`;
  expect(await facts(twin, original)).toEqual(await facts(original, twin));
}

/** Until the test ends, a view of the catalogue says something else. */
async function showing(view: string, word: string, other: string): Promise<void> {
  const { superuser } = fixture.server;
  const { rows } = await superuser.query<{ sql: string }>("SELECT pg_get_viewdef($1::regclass) AS sql", [view]);
  const { sql = "" } = rows[0] ?? {};
  await superuser.query(`CREATE OR REPLACE VIEW pg_catalog.${view} AS ${sql.replaceAll(word, other)}`);
  onTestFinished(async () => void (await superuser.query(`CREATE OR REPLACE VIEW pg_catalog.${view} AS ${sql}`)));
}

const lastLine = (lines: readonly string[], message: string) =>
  JSON.parse(lines.findLast((line) => line.includes(message)) ?? "{}") as Record<string, unknown>;

async function richUser(): Promise<DatabaseSecret> {
  const secret = await fixture.createUser();
  const user = `"${secret.username}"`;
  await fixture.run(
    `ALTER USER ${user} CREATEDB`,
    `ALTER USER ${user} CONNECTION LIMIT 50`,
    `ALTER USER ${user} SYSLOG ACCESS UNRESTRICTED`,
    `ALTER USER ${user} SESSION TIMEOUT 600`,
    `ALTER USER ${user} SET search_path TO '$user', 'sales', 'with, comma'`,
    `ALTER USER ${user} SET datestyle TO 'ISO, DMY'`,
    `ALTER GROUP "analysts" ADD USER ${user}`,
    `GRANT ROLE "reader" TO ${user}`,
    `GRANT ROLE "writer" TO ${user} WITH ADMIN OPTION`,
    `GRANT USAGE ON SCHEMA "sales" TO ${user}`,
    `GRANT SELECT, DROP ON TABLE "sales"."items" TO ${user} WITH GRANT OPTION`,
    `GRANT SELECT ON TABLE "sales"."recent" TO ${user}`,
    `GRANT SELECT ("id") ON TABLE "sales"."orders" TO ${user}`,
    `GRANT TEMP ON DATABASE "dev" TO ${user}`,
    `GRANT EXECUTE ON FUNCTION "sales"."twice"(integer, text) TO ${user}`,
    `GRANT EXECUTE ON PROCEDURE "sales"."clean"() TO ${user}`,
    `GRANT USAGE ON LANGUAGE "plpgsql" TO ${user}`,
    `ALTER DEFAULT PRIVILEGES FOR USER "loader" IN SCHEMA "sales" GRANT SELECT ON TABLES TO ${user} WITH GRANT OPTION`,
    `ALTER DEFAULT PRIVILEGES FOR USER ${user} GRANT SELECT ON TABLES TO GROUP "analysts"`,
    `ALTER DEFAULT PRIVILEGES FOR USER ${user} GRANT EXECUTE ON PROCEDURES TO ROLE "reader"`,
  );
  return secret;
}

test("a new twin has everything that its original has, and the next rotation finds nothing to do", async () => {
  const current = await richUser();
  const context = contextOf(fixture);
  const twin = await alternate(fixture, current, context);
  await expectAlike(current.username);
  expect(Number(lastLine(context.lines, "The twin was created").differences)).toBeGreaterThan(20);
  expect(await fixture.query(twin, "SELECT id FROM sales.orders")).toEqual([]);

  const original = await alternate(fixture, twin);
  const again = contextOf(fixture);
  await alternate(fixture, original, again);
  expect(lastLine(again.lines, "The twin follows its original")).toMatchObject({
    differences: 0,
    by: { attributes: 0, rights: 0, originalsRights: 0, defaultPrivileges: 0 },
  });
});

test("what the original gets, loses and lends follows at the next rotation, in each kind", async () => {
  const current = await richUser();
  const user = `"${current.username}"`;
  const original = await alternate(fixture, await alternate(fixture, current));
  await fixture.run(
    `ALTER USER ${user} NOCREATEDB`,
    `ALTER USER ${user} CONNECTION LIMIT UNLIMITED`,
    `ALTER USER ${user} SYSLOG ACCESS RESTRICTED`,
    `ALTER USER ${user} RESET SESSION TIMEOUT`,
    `ALTER USER ${user} RESET search_path`,
    `ALTER GROUP "analysts" DROP USER ${user}`,
    `ALTER GROUP "interns" ADD USER ${user}`,
    `REVOKE ROLE "reader" FROM ${user}`,
    `REVOKE ADMIN OPTION FOR ROLE "writer" FROM ${user}`,
    `REVOKE GRANT OPTION FOR SELECT ON TABLE "sales"."items" FROM ${user}`,
    `REVOKE DROP ON TABLE "sales"."items" FROM ${user}`,
    `REVOKE SELECT ("id") ON TABLE "sales"."orders" FROM ${user}`,
    `GRANT SELECT ON TABLE "sales"."orders" TO ${user}`,
    `REVOKE EXECUTE ON FUNCTION "sales"."twice"(integer, text) FROM ${user}`,
    `REVOKE EXECUTE ON PROCEDURE "sales"."clean"() FROM ${user}`,
    `REVOKE USAGE ON LANGUAGE "plpgsql" FROM ${user}`,
    `REVOKE TEMP ON DATABASE "dev" FROM ${user}`,
    `GRANT CREATE ON SCHEMA "sales" TO ${user}`,
    `ALTER DEFAULT PRIVILEGES FOR USER "loader" IN SCHEMA "sales" REVOKE GRANT OPTION FOR SELECT ON TABLES FROM ${user}`,
    `ALTER DEFAULT PRIVILEGES FOR USER ${user} REVOKE SELECT ON TABLES FROM GROUP "analysts"`,
  );
  const context = contextOf(fixture);
  await alternate(fixture, original, context);
  await expectAlike(current.username);
  expect(Number(lastLine(context.lines, "The twin follows its original").differences)).toBe(20);
});

test("a default privilege for a kind of grantee that is not known is left alone, and never becomes one for everybody", async () => {
  const current = await fixture.createUser();
  await fixture.run(
    `ALTER DEFAULT PRIVILEGES FOR USER "${current.username}" GRANT SELECT ON TABLES TO GROUP "analysts"`,
  );
  await showing("svv_default_privileges", "'group'", "'GROUPS'");
  const before = fixture.server.statements.length;
  const context = contextOf(fixture);
  await alternate(fixture, current, context);
  expect(fixture.server.statements.slice(before).filter((each) => each.includes("PUBLIC"))).toEqual([]);
  expect(lastLine(context.lines, "words that are not known").words).toEqual(["grantee_type: GROUPS"]);
});

test("what the server will not grant at all is tried once", async () => {
  const current = await fixture.createUser();
  await fixture.run(`GRANT USAGE ON SCHEMA "sales" TO "${current.username}"`);
  await showing("svv_schema_privileges", "'SCHEMA'", "'TABLES'");
  const before = fixture.server.statements.length;
  await expect(alternate(fixture, current)).rejects.toMatchObject({ code: "database" });
  const tried = fixture.server.statements.slice(before).filter((sql) => sql.includes("GRANT USAGE FOR TABLES"));
  expect(tried).toHaveLength(1);
});

test("a default privilege to drop is taken, as all is", async () => {
  const current = await fixture.createUser();
  const defaults = `ALTER DEFAULT PRIVILEGES FOR USER "${current.username}"`;
  await fixture.run(`${defaults} GRANT SELECT, DROP ON TABLES TO GROUP "analysts"`);
  const original = await alternate(fixture, await alternate(fixture, current));
  await fixture.run(
    `${defaults} REVOKE ALL ON TABLES FROM GROUP "analysts"`,
    `${defaults} GRANT SELECT ON TABLES TO GROUP "analysts"`,
  );
  await alternate(fixture, original);
  await expectAlike(current.username);
});

test("what everybody may not execute of the original's, nobody may of a new twin's", async () => {
  const current = await fixture.createUser();
  await fixture.run(`ALTER DEFAULT PRIVILEGES FOR USER "${current.username}" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`);
  const twin = await alternate(fixture, current);
  await fixture.query(twin, "CREATE FUNCTION public.hidden() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const stranger = await fixture.createUser();
  await expect(fixture.query(stranger, "SELECT public.hidden()")).rejects.toThrow("permission denied");
  expect(await fixture.query(current, "SELECT public.hidden()")).toEqual([{ hidden: 1 }]);
});

test("an external schema of the original may be used by its twin, which is all that can be granted", async () => {
  const current = await fixture.createUser();
  const { superuser, statements } = fixture.server;
  await superuser.query(`CREATE SCHEMA lake AUTHORIZATION "${current.username}"`);
  await superuser.query(
    "INSERT INTO pg_catalog.svv_external_schemas SELECT oid FROM pg_namespace WHERE nspname = 'lake'",
  );
  const before = statements.length;
  await alternate(fixture, current);
  expect(statements.slice(before).filter((sql) => sql.includes('ON SCHEMA "lake"'))).toEqual([
    `GRANT USAGE ON SCHEMA "lake" TO "${current.username}_clone"`,
  ]);
});

test("a masking policy of the original alone is refused before the twin gets any right", async () => {
  const current = await fixture.createUser();
  const pending = await successor(current, multi());
  const rotate = () => multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
  const attach = (user: string) =>
    fixture.server.superuser.query(
      "INSERT INTO pg_catalog.svv_attached_masking_policy VALUES ('mask', 'sales', 'orders', '[\"price\"]', $1, 'user')",
      [user],
    );
  await attach(current.username);
  await expect(rotate()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/"mask" on sales\.orders is attached to "app\d+" and not to "app\d+_clone"/),
  });
  const { rows } = await fixture.server.superuser.query("SELECT 1 FROM pg_user WHERE usename = $1", [pending.username]);
  expect(rows).toEqual([]);
  await attach(pending.username);
  await rotate();
});

describe("a right that a third user gave to the twin", () => {
  test("stays, and the log says so", async () => {
    const current = await fixture.createUser();
    const original = await alternate(fixture, await alternate(fixture, current));
    const giver = await fixture.createUser();
    await fixture.run(
      `GRANT USAGE ON SCHEMA "sales" TO "${giver.username}"`,
      `GRANT SELECT ON TABLE "sales"."items" TO "${giver.username}" WITH GRANT OPTION`,
    );
    await fixture.query(giver, `GRANT SELECT ON sales.items TO "${current.username}_clone"`);
    const context = contextOf(fixture);
    await alternate(fixture, original, context);
    expect(lastLine(context.lines, "has more than its original").statements).toEqual([
      `REVOKE SELECT ON TABLE "sales"."items" FROM "${current.username}_clone"`,
    ]);
  });

  test("and that it passed on is not taken, with what to do", async () => {
    const current = await fixture.createUser();
    const user = `"${current.username}"`;
    await fixture.run(
      `GRANT USAGE ON SCHEMA "sales" TO ${user}`,
      `GRANT SELECT ON TABLE "sales"."items" TO ${user} WITH GRANT OPTION`,
    );
    const twin = await alternate(fixture, current);
    await fixture.query(twin, "GRANT SELECT ON sales.items TO loader");
    const original = await alternate(fixture, twin);
    await fixture.run(`REVOKE SELECT ON TABLE "sales"."items" FROM ${user}`);
    await expect(alternate(fixture, original)).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringMatching(/REVOKE SELECT ON TABLE.*dependent privileges exist.*Log in as the twin/s),
    });
  });
});

test("each of the pair may use what the other makes: at once, and what is older after the next rotation", async () => {
  const current = await fixture.createUser();
  await fixture.query(current, "CREATE TABLE public.old_one (id int)");
  const twin = await alternate(fixture, current);
  await fixture.query(twin, "INSERT INTO public.old_one VALUES (1)");
  await fixture.query(twin, "CREATE TABLE public.twins (id int)");
  await fixture.query(current, "INSERT INTO public.twins VALUES (1)");
  await fixture.query(current, "CREATE TABLE public.originals (id int)");
  expect(await fixture.query(twin, "SELECT count(*) FROM public.originals")).toEqual([{ count: "0" }]);
  // What the twin owns is its own at the next rotation, too.
  const next = await alternate(fixture, await alternate(fixture, twin));
  await fixture.query(next, "INSERT INTO public.twins VALUES (2)");
  await fixture.query(next, "TRUNCATE public.originals");

  // What a twin of AWS's function had made before there was a default privilege.
  const original = await fixture.createUser();
  const older = await fixture.createUser(`${original.username}_clone`);
  await fixture.query(older, "CREATE TABLE public.older (id int)");
  const after = await alternate(fixture, older, contextOf(fixture), original);
  expect(after.username).toBe(original.username);
  expect(await fixture.query(after, "SELECT count(*) FROM public.older")).toEqual([{ count: "0" }]);
});

describe("whose the twin is", () => {
  const rotate = (current: DatabaseSecret, pending: DatabaseSecret, previous?: DatabaseSecret) =>
    multi().set({ current, pending, previous: async () => previous }, contextOf(fixture));

  test("a user that merely has the twin's name is refused, and nothing is changed", async () => {
    const current = await fixture.createUser();
    const stranger = await fixture.createUser(`${current.username}_clone`);
    const before = await facts(stranger.username, current.username);
    await expect(rotate(current, await successor(current, multi()))).rejects.toMatchObject({ code: "wrong-target" });
    expect(await facts(stranger.username, current.username)).toEqual(before);
    expect(await fixture.query(stranger, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a twin that AWS's function made is adopted where AWSPREVIOUS logs in as it, and marked", async () => {
    const current = await richUser();
    const twin = await fixture.createUser(`${current.username}_clone`);
    // AWS's function grants what the original has by its groups, too.
    await fixture.run(`GRANT INSERT ON TABLE "sales"."orders" TO "${twin.username}"`);
    const pending = await successor(current, multi());
    await rotate(current, pending, twin);
    await expectAlike(current.username);
    // From now on the mark says it.
    await rotate(current, await successor(current, multi()));
    await rotate(current, await successor(current, multi()), { ...twin, password: "forgotten" });
  });

  test("the original of a twin that is not marked is refused, unless AWSPREVIOUS logs in as the original", async () => {
    const original = await fixture.createUser();
    const twin = await fixture.createUser(`${original.username}_clone`);
    const pending = await successor(twin, multi());
    await expect(rotate(twin, pending)).rejects.toMatchObject({ code: "wrong-target" });
    expect(await fixture.query(original, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await rotate(twin, pending, original);
    expect(await fixture.query(pending, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});

test("a twin cannot log in before it is whole, and one that exists is never disabled", async () => {
  const current = await fixture.createUser();
  await fixture.run(`CREATE GROUP late`, `ALTER GROUP "late" ADD USER "${current.username}"`);
  const pending = await successor(current, multi());
  const about = () => fixture.server.statements.filter((sql) => sql.includes(`${current.username}_clone`));
  await multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
  const at = (part: RegExp) => about().findIndex((sql) => part.test(sql));
  expect(at(/^CREATE USER .* PASSWORD DISABLE$/)).toBe(0);
  expect(at(/^ALTER USER .* PASSWORD 'md5/)).toBeGreaterThan(at(/^ALTER GROUP "late" ADD USER/));
  expect(at(/^ALTER USER .* PASSWORD 'md5/)).toBe(about().length - 1);

  const twin = pending;
  await fixture.run(`ALTER GROUP "interns" ADD USER "${current.username}"`);
  await multi().set(
    { current, pending: await successor(current, multi()), previous: async () => twin },
    contextOf(fixture),
  );
  expect(about().filter((sql) => sql.includes("DISABLE"))).toHaveLength(1);
});

test("an admin who is no superuser sees too little, and is refused, whatever the catalogue shows it", async () => {
  const current = await fixture.createUser();
  const weak = await fixture.createUser();
  const pending = await successor(current, multi());
  const set = () => multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture, weak));
  const refused = { code: "privilege", advice: expect.stringContaining("superusers only") };
  await expect(set()).rejects.toMatchObject(refused);
  await fixture.server.superuser.query(`GRANT SELECT ON pg_user_info TO "${weak.username}"`);
  await expect(set()).rejects.toMatchObject({ ...refused, what: expect.stringContaining("is not a superuser") });
  const { rows } = await fixture.server.superuser.query("SELECT 1 FROM pg_user WHERE usename = $1", [pending.username]);
  expect(rows).toEqual([]);
});

test("the twin of a superuser is one, and stops being one when its original does", async () => {
  const current = await fixture.createUser();
  await fixture.run(`ALTER USER "${current.username}" CREATEUSER`);
  const twin = await alternate(fixture, current);
  expect(await fixture.query(twin, "SELECT usesuper FROM pg_user WHERE usename = current_user")).toEqual([
    { usesuper: true },
  ]);
  const original = await alternate(fixture, twin);
  await fixture.run(`ALTER USER "${current.username}" NOCREATEUSER`);
  const second = await alternate(fixture, original);
  expect(await fixture.query(second, "SELECT usesuper FROM pg_user WHERE usename = current_user")).toEqual([
    { usesuper: false },
  ]);
});

test("the password of a twin is valid as long as its original's", async () => {
  const current = await fixture.createUser();
  await fixture.server.superuser.query(`ALTER USER "${current.username}" VALID UNTIL '2099-12-31 23:59:59'`);
  await alternate(fixture, current);
  await expectAlike(current.username);
});

test("the admin works in the secret's database, whichever its own secret names", async () => {
  const current = await fixture.createUser();
  await fixture.run(`GRANT USAGE ON SCHEMA "sales" TO "${current.username}"`);
  await alternate(fixture, current, contextOf(fixture, { dbname: "postgres" }));
  await expectAlike(current.username);
});

test("names that need quoting are quoted in every kind of statement", async () => {
  const nasty = `"; DROP USER loader; --'\\`;
  const quoted = `"${nasty.replaceAll('"', '""')}"`;
  const current = await fixture.createUser(`${nasty} user`);
  const user = `"${current.username.replaceAll('"', '""')}"`;
  await fixture.server.superuser.query(`CREATE SCHEMA ${quoted}; CREATE TABLE ${quoted}.${quoted} (${quoted} int);
    CREATE FUNCTION ${quoted}.${quoted}() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE GROUP ${quoted}`);
  await fixture.run(
    `CREATE ROLE ${quoted}`,
    `GRANT ROLE ${quoted} TO ${user}`,
    `ALTER GROUP ${quoted} ADD USER ${user}`,
    `GRANT USAGE ON SCHEMA ${quoted} TO ${user}`,
    `GRANT INSERT ON TABLE ${quoted}.${quoted} TO ${user}`,
    `GRANT SELECT (${quoted}) ON TABLE ${quoted}.${quoted} TO ${user}`,
    `GRANT EXECUTE ON FUNCTION ${quoted}.${quoted}() TO ${user}`,
    `ALTER DEFAULT PRIVILEGES FOR USER ${user} IN SCHEMA ${quoted} GRANT SELECT ON TABLES TO GROUP ${quoted}`,
  );
  const twin = await alternate(fixture, current);
  expect(await fixture.query(twin, `SELECT ${quoted} FROM ${quoted}.${quoted}`)).toEqual([]);
  const again = contextOf(fixture);
  await alternate(fixture, await alternate(fixture, twin), again);
  expect(lastLine(again.lines, "The twin follows its original").differences).toBe(0);
});

test("a thousand rights are read in as many queries as one, and granted in a few statements", async () => {
  const sent = async (tables: number) => {
    const current = await fixture.createUser();
    await fixture.server.superuser.query(
      `DO 'BEGIN FOR n IN 1..${tables} LOOP EXECUTE format(''CREATE TABLE public.${current.username}_%s (id int)'', n);
        EXECUTE format(''GRANT SELECT ON public.${current.username}_%s TO ${current.username}'', n); END LOOP; END'`,
    );
    const before = fixture.server.statements.length;
    const twin = await alternate(fixture, current);
    const first = fixture.server.statements.length - before;
    await alternate(fixture, await alternate(fixture, twin));
    return { first, next: fixture.server.statements.length - before - first };
  };
  const one = await sent(1);
  const thousand = await sent(1_000);
  expect(thousand.next).toBe(one.next);
  expect(thousand.first - one.first).toBe(9);
});
