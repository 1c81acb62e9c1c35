/**
 * What an application that owns its schema can do to the sessions of this function, and what a server can that is not the one it should be.
 *
 * MySQL has no search path: a built-in function is never another's, whatever a schema holds, and what is found without a schema's name is
 * looked for in the session's database alone. So an admin's sessions are in no database, tables of the system are named with their schema,
 * and no statement calls a function that is not built in: a user that changes its own password is in its secret's database.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountName, literal } from "../src/sql.ts";
import { alternate, contextOf, type Fixture, single, startFixture, successor } from "./fixture.ts";

describe("an application that sets traps in the schema that it owns", () => {
  let fixture: Fixture;
  let owner: DatabaseSecret;
  const schema = "trap`; DROP USER boss; --";
  beforeAll(async () => {
    fixture = await startFixture({ settings: { "log-bin-trust-function-creators": "ON" } });
    owner = { ...(await fixture.createUser()), dbname: schema };
    await fixture.asRoot(
      "CREATE DATABASE witness",
      "CREATE TABLE witness.sprung (who text, what text)",
      `CREATE DATABASE ${id(schema)}`,
      `GRANT ALL ON ${id(schema)}.* TO ${on(owner)} WITH GRANT OPTION`,
      `GRANT INSERT ON witness.sprung TO ${on(owner)}`,
      "CREATE USER admin_there IDENTIFIED BY 'pass-word'",
      "GRANT ALL ON *.* TO admin_there WITH GRANT OPTION",
    );
    const names = [
      "current_user",
      "version",
      "json_extract",
      "json_unquote",
      "convert",
      "concat",
      "hex",
      "if",
      "password",
    ];
    const app = await fixture.server.connect({ user: owner.username, password: owner.password, database: schema });
    const take = (what: string) => `INSERT INTO witness.sprung VALUES (CURRENT_USER(), ${literal(what)})`;
    for (const name of names) {
      // With the rights of whoever calls it.
      await app.query(
        `CREATE FUNCTION ${id(schema)}.${id(name)} () RETURNS text SQL SECURITY INVOKER BEGIN ${take(name)}; RETURN 'app@%'; END`,
      );
    }
    const call = `${id(schema)}.${id("version")}()`;
    for (const table of ["user", "role_edges", "default_roles", "proxies_priv"])
      await app.query(`CREATE SQL SECURITY INVOKER VIEW ${id(table)} AS SELECT ${call} AS user, ${call} AS host`);
    // Objects whose names are a grant's own words.
    await app.query("CREATE TABLE `t`` TO ``root``@``%``` (`a``, ON b (` int)");
    await app.query(
      `GRANT SELECT (\`a\`\`, ON b (\`), INSERT ON ${id(schema)}.\`t\`\` TO \`\`root\`\`@\`\`%\`\`\` TO ${on(owner)} WITH GRANT OPTION`,
    );
    await app.end();
  });
  afterAll(() => fixture[Symbol.asyncDispose]());
  const id = (name: string) => `\`${name.replaceAll("`", "``")}\``;
  const on = ({ username }: { username: string }) => accountName({ user: username, host: "%" });
  const sprung = async () => {
    const rows = await fixture.asRoot("SELECT who FROM witness.sprung");
    await fixture.asRoot("TRUNCATE witness.sprung");
    return rows.map(({ who }) => who);
  };

  test("the traps are real: a table's name without its schema, or a function's with it, run them with an admin's rights", async () => {
    const admin = await fixture.server.connect({ user: "admin_there", password: "pass-word", database: schema });
    for (const sql of ["SELECT user FROM user LIMIT 1", "SELECT * FROM role_edges", `SELECT ${id(schema)}.version()`])
      await admin.query(sql);
    await admin.end();
    expect(new Set(await sprung())).toEqual(new Set(["admin_there@%"]));
    // And a built-in's name alone does not.
    const other = await fixture.server.connect({ user: "admin_there", password: "pass-word", database: schema });
    await other.query("SELECT VERSION(), CURRENT_USER(), CONCAT('a'), HEX('a'), IF(1, 2, 3)");
    await other.end();
    expect(await sprung()).toEqual([]);
  });

  test.each(["as a role", "as copies"])(
    "a multi-user rotation both ways springs none, and gives nobody else a right: %s",
    async (way) => {
      const admin = { username: "admin_there", password: "pass-word", dbname: schema };
      if (way === "as copies") await fixture.asRoot("REVOKE ROLE_ADMIN, SUPER ON *.* FROM admin_there");
      const before = await fixture.asRoot("SELECT User, Host FROM mysql.tables_priv WHERE User NOT LIKE 'app%'");
      const second = await alternate(fixture, owner, contextOf(fixture, admin));
      await fixture.query(second, `SELECT * FROM ${id(schema)}.\`t\`\` TO \`\`root\`\`@\`\`%\`\`\``);
      owner = await alternate(fixture, second, contextOf(fixture, admin));
      expect(await sprung()).toEqual([]);
      expect(await fixture.asRoot("SELECT User, Host FROM mysql.tables_priv WHERE User NOT LIKE 'app%'")).toEqual(
        before,
      );
      expect(await fixture.asRoot("SELECT 1 FROM mysql.user WHERE User = 'boss'")).toHaveLength(1);
    },
  );

  test("a single-user rotation of an admin whose secret names that schema springs none", async () => {
    const current = { ...owner, username: "admin_there", password: "pass-word" };
    const pending = await successor(current);
    await single().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    await single().test(pending, contextOf(fixture));
    await single({ OLD_PASSWORD: "discard" }).retire?.({ current: pending, previous: current }, contextOf(fixture));
    expect(await sprung()).toEqual([]);
  });

  test("the application can neither mark an account nor take a mark away", async () => {
    await expect(
      fixture.query(owner, `ALTER USER CURRENT_USER() ATTRIBUTE '{"quarterturn": {"twinOf": "boss"}}'`),
    ).rejects.toMatchObject({ errno: 1227 });
  });
});

describe("a server that is not what it should be", () => {
  const packet = (sequence: number, ...parts: readonly (Buffer | string | number[])[]) => {
    const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
    return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, sequence]), body]);
  };
  const greeting = packet(
    0,
    [10],
    "9.7.4\0",
    [1, 0, 0, 0],
    "12345678\0",
    [0xff, 0xff],
    [45, 2, 0, 0xff, 0xdf, 21],
    Buffer.alloc(10),
    "123456789012\0",
    "caching_sha2_password\0",
  );
  const ok = (sequence: number) => packet(sequence, [0, 0, 0, 2, 0, 0, 0]);

  /** Speaks first, answers what `answers` says to each packet in turn, and keeps what it was sent. */
  async function impostor(...answers: readonly Buffer[]) {
    const received: Buffer[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on("error", () => socket.destroy()));
      socket.write(greeting);
      const left = [...answers];
      socket.on("data", (bytes) => {
        received.push(bytes);
        const answer = left.shift();
        if (answer) socket.write(answer);
        else socket.destroy();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const secret: DatabaseSecret = {
      host: "127.0.0.1",
      port,
      username: "app",
      password: "the-password-itself",
      userKeys: {},
      ssl: false,
    };
    return {
      secret,
      received: () => Buffer.concat(received).toString("latin1"),
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  }
  const context = () => contextOf({ server: {}, admin: {} } as unknown as Fixture);
  const set = (current: DatabaseSecret) =>
    single().set({ current, pending: { ...current, password: "next" }, previous: async () => undefined }, context());

  test("and asks for a file of the function's gets none", async () => {
    await using server = await impostor(ok(2), packet(1, [0xfb], "/proc/self/environ"));
    await expect(set(server.secret)).rejects.toMatchObject({ name: "RotationError" });
    expect(server.received()).toContain("SET NAMES utf8mb4");
    expect(server.received()).not.toContain("PATH=");
  });

  test.each(["mysql_clear_password", "client_ed25519", "dialog", "authentication_ldap_sasl_client"])(
    "and asks for the login to be proved by %s is refused by name, and is not sent the password",
    async (plugin) => {
      await using server = await impostor(packet(2, [0xfe], `${plugin}\0`, "12345678901234567890\0"));
      await expect(set(server.secret)).rejects.toMatchObject({
        code: "unsupported",
        message: expect.stringContaining(plugin),
      });
      expect(server.received()).not.toContain("the-password-itself");
    },
  );
});
