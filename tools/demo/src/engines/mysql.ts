import { connect } from "node:net";
import { type MysqlOptions, type MysqlServer, startMysql } from "@quarterturn-tools/engines";
import { createConnection } from "mysql2/promise";
import type { DemoEngine, DemoServer } from "../engine.ts";
import { mysqlLoginLog, mysqlLoginLogSettings } from "../mysql-login-log.ts";
import { newPassword } from "../new-password.ts";
import { databaseStory, twinHasRole, twoPasswords } from "../story.ts";

export const mysqlHandlers = {
  "single-user": import.meta.resolve("@quarterturn/rds-mysql/single-user"),
  "multi-user": import.meta.resolve("@quarterturn/rds-mysql/multi-user"),
};

export const engine: DemoEngine = {
  story: databaseStory("MySQL", "rds-mysql", [twoPasswords, ...twinHasRole]),
  handlers: mysqlHandlers,
  isFetched: true,
  start: () =>
    startMysqlServer("MySQL", startMysql, [
      // What rds_superuser_role has of it.
      "GRANT SELECT, CREATE USER, ROLE_ADMIN ON *.* TO rds_admin",
      "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO checkout",
    ]),
};

/** @param rights further statements of the administrator, for the admin `rds_admin` and the user `checkout` */
export async function startMysqlServer(
  title: string,
  start: (options: MysqlOptions) => Promise<MysqlServer>,
  rights: readonly string[],
): Promise<DemoServer> {
  await using started = new AsyncDisposableStack();
  const server = started.use(await start({ settings: mysqlLoginLogSettings }));
  const address = { host: server.host, port: server.port };
  const admin = { username: "rds_admin", password: newPassword() };
  const login = { username: "checkout", password: newPassword(), ...address, dbname: "shop" };
  const root = await server.connect();
  await root.query("CREATE USER rds_admin IDENTIFIED BY ?", [admin.password]);
  await root.query("CREATE USER checkout IDENTIFIED BY ?", [login.password]);
  const tables = [
    "CREATE DATABASE shop",
    "CREATE TABLE shop.orders (id bigint AUTO_INCREMENT PRIMARY KEY, placed timestamp DEFAULT CURRENT_TIMESTAMP)",
    "GRANT ALL ON shop.* TO checkout",
  ];
  for (const statement of [...tables, ...rights]) await root.query(statement);
  const secret = { name: "prod/checkout/db", value: login };
  const connections = new Set<number | null>();
  const loginLog = await mysqlLoginLog(root, connections);
  const running = started.move();
  return {
    title: `${title} ${server.version}`,
    ...address,
    caFile: server.caFile,
    adminSecret: { ...admin, ...address },
    secrets: () => ({ "single-user": secret, "multi-user": secret }),
    use: (value) => placeOrder(value as typeof login, server.ca, connections),
    loginLog,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** ER_ACCESS_DENIED_ERROR */
const REFUSED = 1045;

async function placeOrder(
  login: { username: string; password: string; host: string; port: number; dbname: string },
  ca: string,
  connections: Set<number | null>,
): Promise<"accepted" | "refused"> {
  const { host, port, username: user, password, dbname } = login;
  const socket = connect({ host, port });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const ssl = { ca, verifyIdentity: true };
  try {
    const client = { host, user, password, database: dbname, ssl, connectTimeout: 5_000, stream: () => socket };
    const database = await createConnection(client);
    connections.add(database.threadId);
    // A connection that breaks makes its query fail, which is where it is reported.
    database.on("error", () => undefined);
    try {
      await database.query({ sql: "INSERT INTO orders () VALUES ()", timeout: 5_000 });
      return "accepted";
    } finally {
      await database.end();
      // The driver does not wait for the server's part, after which the session's end is in its log.
      await closed;
    }
  } catch (error) {
    socket.destroy();
    if ((error as { errno?: number }).errno === REFUSED) return "refused";
    throw error;
  }
}
