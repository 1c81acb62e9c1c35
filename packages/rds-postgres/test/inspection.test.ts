import { type DatabaseSecret, loginOf, type PairState, pairOf } from "@quarterturn/database";
import { startPostgres } from "@quarterturn-tools/engines";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postgres } from "../src/index.ts";
import { alternate, ca, contextOf, type Fixture, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.superuser.query(
    "CREATE ROLE weak LOGIN PASSWORD 'boss-password'; CREATE SCHEMA shop; GRANT ALL ON SCHEMA shop TO PUBLIC",
  );
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** How the secret's pair stands in an admin's eyes. */
async function inspect(secret: DatabaseSecret, admin = fixture.admin.username, at = fixture): Promise<PairState> {
  const login = loginOf({ ...secret, ...fixture.admin, username: admin });
  const session = await postgres({}).login(login, contextOf(at));
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
  const second = await alternate(fixture, first);
  expect(await inspect(second)).toEqual({ admin: "able", twin: "known", twinDefines: [] });
  expect(await inspect(await alternate(fixture, second))).toEqual({ admin: "able", twin: "known", twinDefines: [] });
});

test("it changes nothing", async () => {
  const secret = await fixture.createUser();
  const state = () => fixture.superuser.query("SELECT * FROM pg_authid").then(({ rows }) => rows);
  const before = await state();
  await inspect(secret);
  expect(await state()).toEqual(before);
});

test("an admin without the right says which statement gives it", async () => {
  const secret = await fixture.createUser("needy");
  expect((await inspect(secret, "weak")).admin).toEqual({
    what: expect.stringContaining('the admin "weak" may not make and change the users "needy"'),
    advice: 'Run as a role that may: ALTER ROLE "weak" CREATEROLE; GRANT "needy" TO "weak" WITH ADMIN OPTION;',
  });
  await fixture.superuser.query("ALTER ROLE weak CREATEROLE");
  expect((await inspect(secret, "weak")).admin).not.toBe("able");
  await fixture.superuser.query('ALTER ROLE weak NOCREATEROLE; GRANT "needy" TO "weak" WITH ADMIN OPTION');
  expect((await inspect(secret, "weak")).admin).not.toBe("able");
  await fixture.superuser.query("ALTER ROLE weak CREATEROLE");
  expect((await inspect(secret, "weak")).admin).toBe("able");
});

test("a user that merely has the twin's name is told", async () => {
  const secret = await fixture.createUser();
  await fixture.superuser.query(`CREATE ROLE ${secret.username}_clone`);
  expect((await inspect(secret)).twinFault?.what).toContain(`that is not a member of "${secret.username}"`);
});

test("a twin as AWS's function leaves it: what it owns, and the statement that gives it to the original", async () => {
  const secret = await fixture.createUser();
  const twin = `${secret.username}_clone`;
  await fixture.superuser.query(
    `CREATE ROLE ${twin} LOGIN PASSWORD 'twin-password'; GRANT ${secret.username} TO ${twin}; GRANT ${twin} TO boss WITH ADMIN OPTION`,
  );
  const asTwin = { ...secret, username: twin, password: "twin-password" };
  await fixture.query(asTwin, `CREATE TABLE shop.${twin}_orders (id int)`);
  const found = await inspect(secret);
  expect(found).toMatchObject({ twin: "known", twinDefines: ["1 object (in postgres)"] });
  expect(found.twinHint?.advice).toContain(`REASSIGN OWNED BY "${twin}" TO "${secret.username}";`);
  await fixture.superuser.query(`REASSIGN OWNED BY "${twin}" TO "${secret.username}"`);
  expect(await inspect(secret)).toEqual({ admin: "able", twin: "known", twinDefines: [] });
});

test("a server that takes no change is told; one that does is not, whatever a session begins with", async () => {
  const requireWriter = async (login: DatabaseSecret) => {
    const session = await postgres({}).login(loginOf(login), contextOf(fixture));
    if (session === "rejected") throw new Error("rejected");
    try {
      await session.requireWriter?.();
    } finally {
      await session.close();
    }
  };
  const secret = await fixture.createUser();
  await fixture.superuser.query(`ALTER ROLE ${secret.username} SET default_transaction_read_only TO on`);
  await requireWriter(secret);
  const certificate = await ca.issue({ hosts: ["localhost"] });
  await using standby = await startPostgres({ isStandby: true, certificate });
  const { host, port, admin } = standby;
  await expect(requireWriter({ ...secret, host, port, ...admin })).rejects.toMatchObject({
    code: "unsupported",
    advice: "The server is read-only: put the writer's host into the secret.",
  });
});

test("what else keeps a twin from acting as its original is told with a statement of its own", async () => {
  const secret = await fixture.createUser();
  const { username } = secret;
  const twin = `${username}_clone`;
  await fixture.superuser.query(
    `CREATE ROLE ${twin} LOGIN; GRANT ${username} TO ${twin}; GRANT ${twin} TO boss WITH ADMIN OPTION; CREATE ROLE ${username}_group`,
  );
  const advice = async () => (await inspect(secret)).twinHint?.advice;
  expect(await advice()).toBeUndefined();
  await fixture.superuser.query(`GRANT ${username}_group TO ${twin}`);
  expect(await advice()).toBe(
    `GRANT "${username}_group" TO "${username}"; REVOKE "${username}_group" FROM "${twin}"; The next rotation then makes it act as the original.`,
  );
  await fixture.superuser.query(`REVOKE ${username}_group FROM ${twin}; ALTER ROLE ${twin} SET work_mem = '5MB'`);
  expect(await advice()).toMatch(
    new RegExp(`^Give "${username}" the settings .*ALTER ROLE "${twin}" RESET "work_mem";`),
  );
  await fixture.superuser.query(`ALTER ROLE ${twin} RESET work_mem; GRANT USAGE ON SCHEMA shop TO ${twin}`);
  expect(await advice()).toMatch(
    new RegExp(`^In each of its databases grant "${username}" what "${twin}" was granted`),
  );
  expect(await advice()).not.toContain("REASSIGN");
});

test("an admin that may not give REPLICATION, or change a superuser, is told", async () => {
  const secret = await fixture.createUser();
  await fixture.superuser.query(`ALTER ROLE ${secret.username} REPLICATION`);
  expect((await inspect(secret)).admin).toMatchObject({
    advice: expect.stringContaining('ALTER ROLE "boss" REPLICATION'),
  });
  await fixture.superuser.query("ALTER ROLE boss REPLICATION");
  expect((await inspect(secret)).admin).toBe("able");
  await fixture.superuser.query(`ALTER ROLE boss NOREPLICATION; ALTER ROLE ${secret.username} NOREPLICATION SUPERUSER`);
  expect((await inspect(secret)).admin).toMatchObject({ what: expect.stringContaining("only a superuser may change") });
});

test("before PostgreSQL 16 CREATEROLE alone is enough", async () => {
  await using old = await startFixture({ version: "15" });
  const secret = await old.createUser();
  await old.superuser.query(`CREATE ROLE weak CREATEROLE LOGIN PASSWORD 'boss-password'`);
  expect((await inspect(secret, "weak", old)).admin).toBe("able");
  await old.superuser.query(`ALTER ROLE ${secret.username} REPLICATION; ALTER ROLE weak REPLICATION`);
  expect((await inspect(secret, "weak", old)).admin).toMatchObject({
    advice: expect.stringContaining("Put a superuser"),
  });
  await old.superuser.query(`ALTER ROLE ${secret.username} NOREPLICATION`);
  await old.superuser.query("ALTER ROLE weak NOCREATEROLE");
  expect((await inspect(secret, "weak", old)).admin).not.toBe("able");
});
