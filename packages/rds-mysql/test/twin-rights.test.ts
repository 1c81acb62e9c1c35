/** Rights that a twin gets and loses in the less usual ways, and how much work they are. */
import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountName } from "../src/sql.ts";
import { alternate, contextOf, type Fixture, multi, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ settings: { "general-log": "ON", "log-output": "TABLE" } });
  await fixture.asRoot(
    "CREATE DATABASE shop",
    "CREATE TABLE shop.item (user_id int, price int)",
    "CREATE ROLE reader, writer",
    "GRANT SELECT ON shop.* TO reader",
    "GRANT INSERT, DELETE ON shop.* TO writer",
    "CREATE USER copier IDENTIFIED BY 'copier-password'",
    "GRANT ALL ON *.* TO copier WITH GRANT OPTION",
    "REVOKE ROLE_ADMIN, SUPER ON *.* FROM copier",
  );
});
afterAll(() => fixture[Symbol.asyncDispose]());

const on = (user: string, host = "%") => accountName({ user, host });
/** An admin who may give away whatever the tests give, but not as a role. */
const asCopies = () => contextOf(fixture, { username: "copier", password: "copier-password" });
const grantsOf = async (user: string) =>
  (await fixture.asRoot(`SHOW GRANTS FOR ${on(user)}`))
    .map((row) => String(Object.values(row)[0]).replaceAll(on(user), "USER"))
    .sort();
/** The statements of a rotation that change somebody's rights. */
async function changesBy(work: () => Promise<unknown>): Promise<readonly string[]> {
  await fixture.asRoot("TRUNCATE mysql.general_log");
  await work();
  const rows = await fixture.asRoot(
    "SELECT CONVERT(argument USING utf8mb4) AS said FROM mysql.general_log WHERE argument REGEXP '^(GRANT|REVOKE|ALTER)'",
  );
  return rows.map(({ said }) => String(said));
}

describe("as copies", () => {
  test("GRANT OPTION on a column whose name has an underscore is granted, and revoked with the original's", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(`GRANT SELECT (user_id) ON shop.item TO ${on(first.username)} WITH GRANT OPTION`);
    const second = await alternate(fixture, first, asCopies());
    expect(await grantsOf(second.username)).toEqual(await grantsOf(first.username));
    const third = await alternate(fixture, second, asCopies());
    await fixture.asRoot(`REVOKE GRANT OPTION ON shop.item FROM ${on(first.username)}`);
    await alternate(fixture, third, asCopies());
    expect(await grantsOf(second.username)).toEqual(await grantsOf(first.username));
  });

  test("a right to log in as another user, which a role does not pass on, makes them copies", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(
      "CREATE USER boss_of_all",
      `INSERT INTO mysql.proxies_priv VALUES ('%', '${first.username}', '%', 'boss_of_all', 1, '', NOW())`,
      `INSERT INTO mysql.proxies_priv VALUES ('%', '${fixture.server.admin.username}', '', '', 1, '', NOW())`,
      "FLUSH PRIVILEGES",
    );
    const second = await alternate(fixture, first, contextOf(fixture, fixture.server.admin));
    expect(await grantsOf(second.username)).toContain("GRANT PROXY ON `boss_of_all`@`%` TO USER WITH GRANT OPTION");
  });

  test("rights on a table and a routine that were dropped, which the server keeps, stop nothing", async () => {
    const first = await fixture.createUser();
    const user = on(first.username);
    await fixture.asRoot(
      "CREATE TABLE shop.gone (id int)",
      "CREATE PROCEDURE shop.gone() SELECT 1",
      `GRANT SELECT ON shop.gone TO ${user}`,
      `GRANT EXECUTE ON PROCEDURE shop.gone TO ${user}`,
      `GRANT SELECT ON shop.item TO ${user}`,
      "DROP TABLE shop.gone",
    );
    await fixture.asRoot("SET @@GLOBAL.automatic_sp_privileges = 0", "DROP PROCEDURE shop.gone");
    const second = await alternate(fixture, first, asCopies());
    await fixture.asRoot("SET @@GLOBAL.automatic_sp_privileges = 1");
    expect(await grantsOf(first.username)).toHaveLength(4);
    expect(await grantsOf(second.username)).toHaveLength(2);
    await fixture.query(second, "SELECT * FROM shop.item");
  });

  test("a server that writes names without quotes is understood all the same", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(first.username)}`, "SET GLOBAL sql_quote_show_create = 0");
    try {
      const second = await alternate(fixture, first, asCopies());
      await fixture.query(second, "SELECT * FROM shop.item");
    } finally {
      await fixture.asRoot("SET GLOBAL sql_quote_show_create = 1");
    }
  });
});

describe("as the twin's role", () => {
  test("the original gets a role that its sessions do not start with, and the admin may not copy: the twin keeps what it had", async () => {
    const first = await fixture.createUser();
    await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(first.username)}`);
    const second = await alternate(fixture, first);
    const third = await alternate(fixture, second);
    await fixture.asRoot(`GRANT writer TO ${on(first.username)}`);
    await expect(alternate(fixture, third)).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringContaining("GRANT the right WITH GRANT OPTION"),
    });
    await fixture.query(second, "SELECT * FROM shop.item");
    // With the right it converges, and the role goes.
    const fourth = await alternate(fixture, third, asRootAdmin());
    await fixture.query(fourth, "SELECT * FROM shop.item");
    expect(await grantsOf(fourth.username)).toEqual(await grantsOf(first.username));
  });

  test("which somebody let it grant to others: that ends", async () => {
    const first = await fixture.createUser();
    const third = await alternate(fixture, await alternate(fixture, first));
    await fixture.asRoot(`GRANT ${on(first.username)} TO ${on(`${first.username}_clone`)} WITH ADMIN OPTION`);
    await alternate(fixture, third);
    expect(await grantsOf(`${first.username}_clone`)).toEqual([
      "GRANT USAGE ON *.* TO USER",
      `GRANT ${on(first.username)} TO USER`,
    ]);
  });

  test("a server that starts sessions with all roles: a role that is no default one needs no copies", async () => {
    await fixture.asRoot("SET GLOBAL activate_all_roles_on_login = ON");
    try {
      const first = await fixture.createUser();
      await fixture.asRoot(`GRANT writer TO ${on(first.username)}`);
      const second = await alternate(fixture, first);
      await fixture.query(second, "DELETE FROM shop.item");
      expect(await grantsOf(second.username)).toEqual([
        "GRANT USAGE ON *.* TO USER",
        `GRANT ${on(first.username)} TO USER`,
      ]);
    } finally {
      await fixture.asRoot("SET GLOBAL activate_all_roles_on_login = OFF");
    }
  });

  test("a mandatory role that the original's sessions start with is the twin's, too", async () => {
    await fixture.asRoot("SET GLOBAL mandatory_roles = 'reader'");
    try {
      const first = await fixture.createUser();
      await fixture.asRoot(`ALTER USER ${on(first.username)} DEFAULT ROLE reader`);
      await fixture.query(first, "SELECT * FROM shop.item");
      await fixture.query(await alternate(fixture, first), "SELECT * FROM shop.item");
      const other = await fixture.createUser();
      await fixture.asRoot(`ALTER USER ${on(other.username)} DEFAULT ROLE reader`);
      await fixture.query(await alternate(fixture, other, asCopies()), "SELECT * FROM shop.item");
    } finally {
      await fixture.asRoot("SET GLOBAL mandatory_roles = ''");
    }
  });

  test.each([
    ["as a role", undefined],
    ["as copies", asCopies],
  ])(
    "%s, where everybody has a role: the twin starts with it, and does without once nobody has",
    async (_, contextFor) => {
      const rolesOf = async (username: string) =>
        (
          await fixture.asRoot(`SELECT DEFAULT_ROLE_USER AS role FROM mysql.default_roles WHERE USER = '${username}'`)
        ).map(({ role }) => role);
      await fixture.asRoot("SET GLOBAL mandatory_roles = 'reader'");
      const first = await fixture.createUser();
      const late = await fixture.createUser();
      try {
        for (const { username } of [first, late])
          await fixture.asRoot(`ALTER USER ${on(username)} DEFAULT ROLE reader`);
        const twin = await alternate(fixture, first, contextFor?.());
        expect(await rolesOf(twin.username)).toContain("reader");
      } finally {
        await fixture.asRoot("SET GLOBAL mandatory_roles = ''");
      }
      const twin = await alternate(fixture, late, contextFor?.());
      expect(await rolesOf(twin.username)).not.toContain("reader");
      expect(await rolesOf(late.username)).toEqual(["reader"]);
    },
  );
});
const asRootAdmin = () => contextOf(fixture, fixture.server.admin);

/** What AWS's function does in setSecret, in its order; the grants are split as it splits them. */
async function inAwsOrder(current: DatabaseSecret, pending: DatabaseSecret, failing: boolean): Promise<void> {
  if (await fixture.accepts(pending)) return;
  await fixture.asRoot(`CREATE USER IF NOT EXISTS ${on(pending.username)} IDENTIFIED BY '${pending.password}'`);
  for (const row of await fixture.asRoot(`SHOW GRANTS FOR ${on(current.username)}`)) {
    if (failing) throw new Error("the connection broke");
    await fixture.asRoot(`${String(Object.values(row)[0]).split(" TO ")[0]} TO ${on(pending.username)}`);
  }
}

describe("the step that gives the rights fails once", () => {
  const start = async () => {
    const current = await fixture.createUser();
    await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(current.username)}`);
    return { current, pending: await successor(current, multi()) };
  };

  test("in the order of AWS's function, the retry takes the half-made twin for whole and would promote it", async () => {
    const { current, pending } = await start();
    await expect(inAwsOrder(current, pending, true)).rejects.toThrow("the connection broke");
    await inAwsOrder(current, pending, false);
    // Its testSecret asks for the time.
    await fixture.query(pending, "SELECT NOW()");
    await expect(fixture.query(pending, "SELECT * FROM shop.item")).rejects.toMatchObject({ errno: 1142 });
  });

  test("in ours, it can not log in until the retry has made it whole", async () => {
    const { current, pending } = await start();
    await fixture.asRoot("REVOKE ROLE_ADMIN ON *.* FROM boss");
    const set = () => multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    try {
      await expect(set()).rejects.toMatchObject({ code: "privilege" });
      await expect(multi().test(pending, contextOf(fixture))).rejects.toMatchObject({ name: "RotationError" });
    } finally {
      await fixture.asRoot("GRANT ROLE_ADMIN ON *.* TO boss");
    }
    await set();
    await multi().test(pending, contextOf(fixture));
    await fixture.query(pending, "SELECT * FROM shop.item");
  });
});

describe("thousands of grants", () => {
  async function owner(tables: number): Promise<DatabaseSecret> {
    const first = await fixture.createUser();
    await fixture.asRoot(
      `SET SESSION cte_max_recursion_depth = ${tables}`,
      `INSERT INTO mysql.tables_priv (Host, Db, User, Table_name, Grantor, Table_priv)
       WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${tables})
       SELECT '%', 'shop', '${first.username}', CONCAT('t', i), 'admin@%', 'Select,Create' FROM n`,
      "FLUSH PRIVILEGES",
    );
    return first;
  }

  test("ten thousand as a role are as much work as one, at every rotation", async () => {
    const [many, one] = [await owner(10_000), await fixture.createUser()];
    await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(one.username)}`);
    const shape = (user: string, statements: readonly string[]) =>
      statements.map((said) => said.replaceAll(user, "app").replaceAll(/'\w*'/g, "''"));
    let [large, small] = [many, one];
    for (let turn = 1; turn <= 4; turn++) {
      const work = await changesBy(async () => {
        large = await alternate(fixture, large);
      });
      const least = await changesBy(async () => {
        small = await alternate(fixture, small);
      });
      expect(shape(many.username, work)).toEqual(shape(one.username, least));
      expect(work.length).toBeLessThan(4);
    }
  });

  test("a thousand as copies are given once, a statement for each table; from then on only what has changed", async () => {
    const first = await owner(1_000);
    let second = first;
    const given = await changesBy(async () => {
      second = await alternate(fixture, first, asCopies());
    });
    expect(given.filter((said) => said.startsWith("GRANT SELECT, CREATE ON"))).toHaveLength(1_000);
    const third = await alternate(fixture, second, asCopies());
    await fixture.asRoot(
      `REVOKE CREATE ON shop.t7 FROM ${on(first.username)}`,
      `GRANT DELETE ON shop.* TO ${on(first.username)}`,
    );
    const work = await changesBy(() => alternate(fixture, third, asCopies()));
    expect(work.filter((said) => !said.startsWith("ALTER"))).toEqual([
      // Refused.
      `GRANT ${on(first.username)} TO ${on(second.username)}`,
      `REVOKE CREATE ON \`shop\`.\`t7\` FROM ${on(second.username)}`,
      `GRANT DELETE ON \`shop\`.* TO ${on(second.username)}`,
    ]);
  });
});
