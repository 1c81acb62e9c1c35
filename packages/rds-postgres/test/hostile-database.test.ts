import type { DatabaseSecret } from "@quarterturn/database";
import { escapeIdentifier } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alternate, contextOf, type Fixture, single, startFixture, successor } from "./fixture.ts";

/**
 * An application that owns its database can put functions, operators and types of its own before those of pg_catalog, and have whoever
 * logs in there run them. Here the admin, a superuser, logs in to that database, and every trap makes the application's user a superuser.
 */
describe("an application that sets traps in the database that it owns", () => {
  let fixture: Fixture;
  let owner: DatabaseSecret;
  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  const isSuperuser = async () =>
    (
      await fixture.superuser.query<{ rolsuper: boolean }>(
        "SELECT bool_or(rolsuper) AS rolsuper FROM pg_roles WHERE rolname LIKE $1",
        [`${owner.username}%`],
      )
    ).rows[0]?.rolsuper;

  async function ownedDatabaseWithTraps(): Promise<DatabaseSecret> {
    owner = await fixture.createUser();
    const database = `${owner.username}_db`;
    await fixture.superuser.query(`CREATE DATABASE ${database} OWNER ${owner.username}`);
    const take = `EXECUTE 'ALTER ROLE ${escapeIdentifier(owner.username)} SUPERUSER'`;
    const trap = (signature: string, answer: string) =>
      `CREATE FUNCTION trap.${signature} LANGUAGE plpgsql AS $trap$ BEGIN BEGIN ${take}; EXCEPTION WHEN insufficient_privilege THEN NULL; END; RETURN ${answer}; END $trap$;`;
    await fixture.query(
      owner,
      `CREATE SCHEMA trap;
       GRANT USAGE ON SCHEMA trap TO PUBLIC;
       ${trap("quote_ident(text) RETURNS text", "pg_catalog.quote_ident($1)")}
       ${trap("current_setting(text) RETURNS text", "pg_catalog.current_setting($1)")}
       ${trap("to_jsonb(pg_catalog.pg_auth_members) RETURNS jsonb", "pg_catalog.to_jsonb($1)")}
       ${trap("count_one(bigint, bigint) RETURNS bigint", "$1 + 1")}
       CREATE AGGREGATE trap.count(bigint) (SFUNC = trap.count_one, STYPE = bigint, INITCOND = '0');
       ${trap("same(name, text) RETURNS boolean", "$1::text OPERATOR(pg_catalog.=) $2")}
       CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.same);
       ${trap("same(oid, oid) RETURNS boolean", "$1 OPERATOR(pg_catalog.=) $2")}
       CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.same);
       ${trap('same("char", "char") RETURNS boolean', "$1 OPERATOR(pg_catalog.=) $2")}
       CREATE OPERATOR trap.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = trap.same);
       ${trap("arrow(jsonb, text) RETURNS text", "$1 OPERATOR(pg_catalog.->>) $2")}
       CREATE OPERATOR trap.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = trap.arrow);
       ALTER DATABASE ${database} SET search_path TO trap, pg_catalog;`,
      database,
    );
    return { ...owner, dbname: database };
  }

  test("the traps are real: a look-up as AWS's function makes it hands over the server", async () => {
    const secret = await ownedDatabaseWithTraps();
    const admin = await fixture.server.connect({ database: secret.dbname ?? "" });
    await admin.query("SELECT quote_ident('app')");
    await admin.end();
    expect(await isSuperuser()).toBe(true);
  });

  test("and so does an operator", async () => {
    const secret = await ownedDatabaseWithTraps();
    const admin = await fixture.server.connect({ database: secret.dbname ?? "" });
    await admin.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'app'::text");
    await admin.end();
    expect(await isSuperuser()).toBe(true);
  });

  test("a multi-user rotation, both ways, springs none", async () => {
    const first = await ownedDatabaseWithTraps();
    const context = contextOf(fixture, { ...fixture.server.admin, dbname: first.dbname });
    const second = await alternate(fixture, first, context);
    await alternate(fixture, second, context);
    expect(await isSuperuser()).toBe(false);
  });

  test("a single-user rotation of an admin in that database springs none", async () => {
    const { dbname = "" } = await ownedDatabaseWithTraps();
    await fixture.superuser.query(`CREATE ROLE ${dbname}_admin SUPERUSER LOGIN PASSWORD 'pass-word'`);
    const current = { ...owner, dbname, username: `${dbname}_admin`, password: "pass-word" };
    const pending = await successor(current);
    await single().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    expect(
      (await fixture.superuser.query("SELECT rolsuper FROM pg_roles WHERE rolname = $1", [owner.username])).rows,
    ).toEqual([{ rolsuper: false }]);
  });

  test("settings that a hostile user gives itself reach nobody but itself and its twin", async () => {
    const first = await ownedDatabaseWithTraps();
    await fixture.query(
      first,
      `ALTER ROLE ${first.username} SET search_path TO trap; ALTER ROLE ${first.username} SET role TO '${first.username}'`,
      first.dbname,
    );
    await alternate(fixture, first, contextOf(fixture, { ...fixture.server.admin, dbname: first.dbname }));
    expect(await isSuperuser()).toBe(false);
  });
});
