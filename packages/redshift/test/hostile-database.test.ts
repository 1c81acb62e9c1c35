import type { DatabaseSecret } from "@quarterturn/database";
import { escapeIdentifier } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { alternate, contextOf, type Fixture, single, startFixture, successor } from "./fixture.ts";

/**
 * Whoever may create functions can put one before those of pg_catalog, where the search path of the admin's sessions lets it, and have the
 * admin run it. Here every trap makes the application's user a superuser. (Redshift has no operators of users; PostgreSQL has, so there is one.)
 */
let fixture: Fixture;
let user: DatabaseSecret;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.server.superuser.query(`CREATE SCHEMA trap; GRANT CREATE, USAGE ON SCHEMA trap TO PUBLIC;
    ALTER DATABASE dev SET search_path TO trap, pg_catalog`);
});
afterAll(() => fixture[Symbol.asyncDispose]());

beforeEach(async () => {
  user = await fixture.createUser();
  const take = `EXECUTE 'ALTER ROLE ${escapeIdentifier(user.username)} SUPERUSER'`;
  const trap = (signature: string, answer: string) =>
    `CREATE FUNCTION trap.${signature} LANGUAGE plpgsql AS $trap$ BEGIN BEGIN ${take}; EXCEPTION WHEN insufficient_privilege THEN NULL; END; RETURN ${answer}; END $trap$;`;
  await fixture.query(
    user,
    `${trap("chr(int) RETURNS text", "pg_catalog.chr($1)")}
     ${trap("array_to_string(text[], text) RETURNS text", "pg_catalog.array_to_string($1, $2)")}
     ${trap("oidvectortypes(oidvector) RETURNS text", "pg_catalog.oidvectortypes($1)")}
     ${trap("same(oid, oid) RETURNS boolean", "$1 OPERATOR(pg_catalog.=) $2")}
     CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.same);
     CREATE VIEW trap.svv_user_info AS SELECT * FROM pg_catalog.svv_user_info;
     CREATE VIEW trap.pg_group AS SELECT * FROM pg_catalog.pg_group`,
  );
});

const isSuperuser = async () =>
  (
    await fixture.server.superuser.query<{ rolsuper: boolean }>(
      "SELECT pg_catalog.bool_or(rolsuper) AS rolsuper FROM pg_catalog.pg_roles WHERE rolname LIKE $1",
      [`${user.username}%`],
    )
  ).rows[0]?.rolsuper;

async function clear(): Promise<void> {
  await fixture.server.superuser.query(
    "SET search_path TO pg_catalog; DROP SCHEMA trap CASCADE; CREATE SCHEMA trap; GRANT CREATE, USAGE ON SCHEMA trap TO PUBLIC",
  );
}

test("the traps are real: a look-up without a search path of its own hands over the server", async () => {
  const admin = await fixture.server.postgres.connect({
    user: fixture.server.admin.username,
    password: fixture.server.admin.password,
    database: "dev",
  });
  await admin.query("SELECT chr(10)");
  await admin.end();
  expect(await isSuperuser()).toBe(true);
  await clear();
});

test("a multi-user rotation, both ways, springs none", async () => {
  const original = await alternate(fixture, await alternate(fixture, user));
  await alternate(fixture, original);
  expect(await isSuperuser()).toBe(false);
  await clear();
});

test("a single-user rotation of the admin itself springs none", async () => {
  const { host, port, admin } = fixture.server;
  const current = { host, port, ...admin, dbname: "dev", ssl: true, userKeys: {} };
  const pending = await successor(current);
  await single().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
  await single().test(pending, contextOf(fixture));
  expect(await isSuperuser()).toBe(false);
});
