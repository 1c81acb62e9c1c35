import { randomBytes } from "node:crypto";
import type { Strategy, Target } from "@quarterturn/conformance";
import { createTestCa, type MysqlOptions, type MysqlServer, startMysql, tlsFaults } from "@quarterturn-tools/engines";
import { accountName, literal } from "../../src/sql.ts";

interface Variant {
  readonly engine: "mysql" | "mariadb";
  readonly start: (options: MysqlOptions) => Promise<MysqlServer>;
  /** Whether its users may keep two passwords. */
  readonly twoPasswords: boolean;
  /** What its admin may do: what rds_superuser_role has of it, if nothing else is said, and not more. */
  readonly adminRights: string;
}

/** A server for the conformance suite. */
export async function mysqlTarget(strategy: Strategy, variant: Partial<Variant> = {}): Promise<Target> {
  const { engine, start, twoPasswords, adminRights }: Variant = {
    engine: "mysql",
    start: startMysql,
    twoPasswords: true,
    adminRights: "SELECT, CREATE USER, ROLE_ADMIN",
    ...variant,
  };
  await using opened = new AsyncDisposableStack();
  const ca = await createTestCa();
  const server = opened.use(await start({ certificate: await ca.issue({ hosts: ["localhost", "127.0.0.1"] }) }));
  const root = await server.connect();
  const asRoot = async (...statements: readonly string[]) => {
    for (const statement of statements) await root.query(statement);
  };
  const admin = { username: `boss_${randomBytes(4).toString("hex")}`, password: randomBytes(12).toString("hex") };
  await asRoot("SET SESSION sql_mode = ''", "CREATE DATABASE work", "CREATE TABLE work.job (id int)");
  if (strategy === "multi-user") {
    await asRoot(
      `CREATE USER ${admin.username} IDENTIFIED BY '${admin.password}'`,
      `GRANT ${adminRights} ON *.* TO ${admin.username} WITH GRANT OPTION`,
    );
  }
  const closing = opened.move();

  return {
    address: { host: server.host, port: server.port },
    caFile: server.caFile,
    hostile: {
      names: [
        "'; DROP USER x; --",
        "o'brien",
        'dou"ble',
        "back`tick\\slash",
        "a b@c%d",
        "root",
        "ünïcödé ☃",
        "line\nbreak",
      ],
      passwords: [
        "'; DROP USER x; --",
        "back\\slash\\'quote\"",
        " spaces around ",
        "$$dollar$1%s{}?:a",
        "pässwörd ☃ längér",
        "x".repeat(200),
      ],
    },
    tlsFaults: tlsFaults(ca, (certificate) => start({ certificate })),

    async createAccount({
      name = `app_${randomBytes(8).toString("hex")}`,
      password = randomBytes(12).toString("hex"),
      at,
    }) {
      const account = accountName({ user: name, host: "%" });
      await asRoot(
        `CREATE USER ${account} IDENTIFIED BY ${literal(password)}`,
        `GRANT SELECT ON work.* TO ${account}`,
        ...(twoPasswords ? [`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${account}`] : []),
      );
      const secret = { engine, ...at, dbname: "work", username: name, password };
      return strategy === "single-user" ? { secret } : { secret, adminSecret: { engine, ...at, ...admin } };
    },

    async login({ username, password }) {
      try {
        const connection = await server.connect({ user: String(username), password: String(password) });
        try {
          await connection.query("SELECT count(*) FROM work.job");
          return "accepted";
        } finally {
          await connection.end();
        }
      } catch (error) {
        const { errno } = error as { errno?: number };
        // A half-made twin is locked; a wrong password is said first.
        if (errno === 1045 || errno === 3118) return "refused";
        if (errno === 1142 || errno === 1044) return "powerless";
        throw error;
      }
    },

    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
