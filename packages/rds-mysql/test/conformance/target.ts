import { randomBytes } from "node:crypto";
import type { FaultyServer, Strategy, Target } from "@quarterturn/conformance";
import {
  type CertificateRequest,
  createTestCa,
  type MysqlOptions,
  type MysqlServer,
  startMysql,
  type TestCa,
} from "@quarterturn-tools/engines";
import { accountName, literal } from "../../src/sql.ts";

/**
 * A server for the conformance suite. Its users may keep two passwords where the product has them; its admin has what rds_superuser_role has
 * of it, and not more.
 */
export async function mysqlTarget(
  strategy: Strategy,
  engine = "mysql",
  start: (options: MysqlOptions) => Promise<MysqlServer> = startMysql,
): Promise<Target> {
  await using opened = new AsyncDisposableStack();
  const ca = await createTestCa();
  const hosts = ["localhost", "127.0.0.1"];
  const server = opened.use(await start({ certificate: await ca.issue({ hosts }) }));
  const root = await server.connect();
  const asRoot = async (...statements: readonly string[]) => {
    for (const statement of statements) await root.query(statement);
  };
  const admin = { username: `boss_${randomBytes(4).toString("hex")}`, password: randomBytes(12).toString("hex") };
  await asRoot("SET SESSION sql_mode = ''", "CREATE DATABASE work", "CREATE TABLE work.job (id int)");
  if (strategy === "multi-user") {
    await asRoot(
      `CREATE USER ${admin.username} IDENTIFIED BY '${admin.password}'`,
      `GRANT SELECT, CREATE USER, ROLE_ADMIN ON *.* TO ${admin.username} WITH GRANT OPTION`,
    );
  }
  const closing = opened.move();

  async function startWith(issuer: TestCa, request: CertificateRequest | undefined): Promise<FaultyServer> {
    const faulty = await start({ certificate: request ? await issuer.issue(request) : "none" });
    return { at: faulty, close: () => faulty.close() };
  }

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
    tlsFaults: {
      "speaks-no-tls": () => startWith(ca, undefined),
      "expired-certificate": () => startWith(ca, { hosts, notAfter: new Date(Date.now() - 60_000) }),
      "foreign-certificate": async () => startWith(await createTestCa(), { hosts }),
      "other-host-name": () => startWith(ca, { hosts: ["other.example"] }),
    },

    async createAccount({
      name = `app_${randomBytes(8).toString("hex")}`,
      password = randomBytes(12).toString("hex"),
      at,
    }) {
      const account = accountName({ user: name, host: "%" });
      await asRoot(
        `CREATE USER ${account} IDENTIFIED BY ${literal(password)}`,
        `GRANT SELECT ON work.* TO ${account}`,
        ...(engine === "mysql" ? [`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${account}`] : []),
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
