import { setTimeout as sleep } from "node:timers/promises";
import { deadlineOf } from "@quarterturn/core";
import { loginOf } from "@quarterturn/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redshift } from "../src/index.ts";
import type { Connection } from "../src/transport.ts";
import { wire } from "../src/wire.ts";
import { contextOf, type Fixture, single, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
let connection: Connection;
beforeAll(async () => {
  fixture = await startFixture();
  const user = await fixture.createUser();
  await fixture.run(`ALTER USER "${user.username}" CREATEUSER`);
  const connected = await wire.connect(loginOf(user), contextOf(fixture));
  if (connected === "rejected") throw new Error("rejected");
  connection = connected;
});
afterAll(async () => {
  await connection.close();
  await fixture[Symbol.asyncDispose]();
});

const groups = async () =>
  (await fixture.server.superuser.query<{ groname: string }>("SELECT groname FROM pg_group")).rows.map(
    ({ groname }) => groname,
  );

test("statements that fail in the middle have not happened, and the error is that one's", async () => {
  const statement = (sql: string) => ({ sql, doing: `making ${sql}`, remedy: "none" });
  await expect(
    connection.run([
      statement("CREATE GROUP first_group"),
      statement("CREATE GROUP first_group"),
      statement("CREATE GROUP second_group"),
    ]),
  ).rejects.toMatchObject({
    code: "database",
    what: expect.stringMatching(/making CREATE GROUP first_group: .*42710/),
  });
  expect(await groups()).not.toContain("first_group");
  await connection.run([statement("CREATE GROUP third_group")]);
  expect(await groups()).toEqual(["third_group"]);
});

test("a statement that is not imitated does not run", async () => {
  await expect(connection.run([{ sql: "DROP SCHEMA public", doing: "dropping" }])).rejects.toMatchObject({
    code: "database",
    what: expect.stringContaining("42601"),
  });
});

test("parameters are values, each under its name as often as it is used", async () => {
  const [rows] = await connection.run([
    {
      sql: "SELECT :b || '/' || :a || '/' || :b AS text",
      parameters: { a: "it's \\ :b", b: "ü" },
      doing: "asking",
    },
  ]);
  expect(rows).toEqual([{ text: "ü/it's \\ :b/ü" }]);
});

test("a row that another session holds locked is a timeout before the deadline, for the server, too; and the retry succeeds", async () => {
  const current = await fixture.createUser();
  const pending = await successor(current);
  const other = await fixture.server.postgres.connect({ database: "dev" });
  await other.query(`BEGIN; ALTER USER "${current.username}" CONNECTION LIMIT 7`);
  const end = Date.now() + 2_000;
  const deadline = deadlineOf(() => end - Date.now());
  const set = (more: object) =>
    single().set({ current, pending, previous: async () => undefined }, { ...contextOf(fixture), ...more });
  await expect(set({ deadline })).rejects.toMatchObject({ code: "timeout" });
  expect(Date.now()).toBeLessThan(end);
  await sleep(end - Date.now());
  // What waited on would change the password when nobody expects it any more.
  expect((await other.query("SELECT mode FROM pg_locks WHERE NOT granted")).rows).toEqual([]);
  await other.query("ROLLBACK");
  await other.end();
  await set({});
  await single().test(pending, contextOf(fixture));
});

test("an admin restores a user's password", async () => {
  const secret = await fixture.createUser();
  const next = await successor(secret);
  const session = await redshift({}).login(loginOf({ ...secret, ...fixture.server.admin }), contextOf(fixture));
  if (session === "rejected") throw new Error("the admin is refused");
  await session.restorePassword(secret, next.password);
  await session.close();
  const answers = [secret, next].map((each) => redshift({}).probe(loginOf(each), contextOf(fixture)));
  expect(await Promise.all(answers)).toEqual(["rejected", "accepted"]);
});
