import { type DatabaseSecret, loginOf, type PairState, pairOf } from "@quarterturn/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redshift } from "../src/index.ts";
import { openSession } from "../src/session.ts";
import { wire } from "../src/wire.ts";
import { alternate, contextOf, type Fixture, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.server.superuser.query("CREATE SCHEMA sales; GRANT ALL ON SCHEMA sales TO PUBLIC");
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** How the secret's pair stands in somebody's eyes. */
async function inspect(secret: DatabaseSecret, admin: object = fixture.server.admin): Promise<PairState> {
  const session = await redshift({}).login(loginOf({ ...secret, ...admin }), contextOf(fixture));
  if (session === "rejected") throw new Error("the admin cannot look");
  try {
    return await session.inspectPair({ ...pairOf(secret.username), userKeys: {} });
  } finally {
    await session.close();
  }
}

test("a pair before its first rotation, and after it, with what the twin owns", async () => {
  const first = await fixture.createUser();
  expect(await inspect(first)).toEqual({ admin: "able", twin: "none", twinDefines: [] });
  const second = await alternate(fixture, first);
  expect(await inspect(second)).toEqual({ admin: "able", twin: "known", twinDefines: [] });
  await fixture.query(second, `CREATE TABLE sales.${second.username} (id int)`);
  expect((await inspect(second)).twinDefines).toEqual([`table "sales"."${second.username}"`]);
});

test("it does not read what was granted, of which there may be much", async () => {
  const secret = await fixture.createUser();
  await alternate(fixture, secret);
  const login = loginOf({ ...secret, ...fixture.server.admin });
  const connection = await wire.connect(login, contextOf(fixture));
  if (connection === "rejected") throw new Error("the admin cannot look");
  const asked: string[] = [];
  const run: typeof connection.run = (statements) => {
    asked.push(...statements.map(({ sql }) => sql));
    return connection.run(statements);
  };
  try {
    const session = openSession({ ...connection, run }, login, contextOf(fixture));
    await session.inspectPair({ ...pairOf(secret.username), userKeys: {} });
  } finally {
    await connection.close();
  }
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((sql) => /svv_\w+_privileges|default/i.test(sql))).toEqual([]);
});

test("an admin that is no superuser is told what it takes", async () => {
  const secret = await fixture.createUser();
  await expect(inspect(secret, { username: secret.username, password: secret.password })).rejects.toMatchObject({
    code: "privilege",
    advice: expect.stringContaining("put one (CREATEUSER) into the admin secret"),
  });
});

test("a masking policy that the twin would not have is told", async () => {
  const secret = await fixture.createUser();
  await fixture.server.superuser.query(
    "INSERT INTO pg_catalog.svv_attached_masking_policy VALUES ('mask', 'sales', 'orders', '[\"price\"]', $1, 'user')",
    [secret.username],
  );
  expect((await inspect(secret)).twinFault?.what).toContain('the masking policy "mask" on sales.orders is attached to');
});

test("a user that merely has the twin's name is unproven", async () => {
  const secret = await fixture.createUser();
  await fixture.createUser(`${secret.username}_clone`);
  expect((await inspect(secret)).twin).toBe("unproven");
});
