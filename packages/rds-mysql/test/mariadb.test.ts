import { readFile } from "node:fs/promises";
import { rotatorConformance } from "@quarterturn/conformance";
import { loginOf } from "@quarterturn/database";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { startMariadb } from "@quarterturn-tools/engines";
import { expect, test } from "vitest";
import { mysql } from "../src/index.ts";
import { accountName } from "../src/sql.ts";
import { mysqlTarget } from "./conformance/target.ts";
import { contextOf, single, startFixture, successor } from "./fixture.ts";

// A user has one password there.
rotatorConformance({
  name: "rds-mysql on MariaDB, single-user",
  handler: await bundledHandler(new URL("../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  target: () => mysqlTarget("single-user", { engine: "mariadb", start: startMariadb, twoPasswords: false }),
});

test("MariaDB's general log has what is sent, and that is a hash wherever the server takes one", async () => {
  await using mariadb = await startFixture({ settings: { "general-log": "ON" } }, startMariadb);
  const rotate = async (change: string) => {
    const current = await mariadb.createUser();
    const account = accountName({ user: current.username, host: "%" });
    if (change) await mariadb.asRoot(`ALTER USER ${account} ${change.replace("PASSWORD", current.password)}`);
    const pending = await successor(current);
    await single().set({ current, pending, previous: async () => undefined }, contextOf(mariadb));
    expect(await mariadb.accepts(pending)).toBe(true);
    const [row] = await mariadb.asRoot(`SHOW CREATE USER ${account}`);
    return { pending, account: String(Object.values(row ?? {})[0]) };
  };
  const { pending, account } = await rotate("");
  expect(account).toMatch(/ IDENTIFIED BY PASSWORD '\*[0-9A-F]{40}'/);
  const log = await readFile(mariadb.server.logFile, "utf8");
  expect(log).toMatch(/SET PASSWORD = '\*[0-9A-F]{40}'/);
  expect(log).not.toContain(pending.password);
  // What is proved in another way besides is not known to be kept as a hash of this kind. It keeps its plugins.
  const several = await rotate("IDENTIFIED VIA mysql_native_password USING password('PASSWORD') OR unix_socket");
  expect(several.account).toMatch(/ VIA mysql_native_password USING '\*[0-9A-F]{40}' OR unix_socket/);
});

test("an admin restores a user's password on MariaDB, and its plugins stay", async () => {
  await using mariadb = await startFixture({}, startMariadb);
  await mariadb.asRoot("GRANT CREATE USER ON *.* TO boss", "GRANT SELECT, UPDATE ON mysql.* TO boss");
  const current = await mariadb.createUser();
  const next = await successor(current);
  const session = await mysql({}).login(loginOf({ ...current, ...mariadb.admin }), contextOf(mariadb));
  if (session === "rejected") throw new Error("the admin is refused");
  await session.restorePassword(current, next.password);
  // There is one password only.
  expect(session.discardOtherPasswords).toBeUndefined();
  await session.close();
  expect([await mariadb.accepts(current), await mariadb.accepts(next)]).toEqual([false, true]);
  const account = accountName({ user: current.username, host: "%" });
  const [row] = await mariadb.asRoot(`SHOW CREATE USER ${account}`);
  expect(String(Object.values(row ?? {})[0])).toMatch(/ IDENTIFIED BY PASSWORD '\*[0-9A-F]{40}'/);
});
