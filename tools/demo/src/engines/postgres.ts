import { type PostgresServer, startPostgres } from "@quarterturn-tools/engines";
import { escapeLiteral } from "pg";
import type { DemoEngine } from "../engine.ts";
import { newPassword } from "../new-password.ts";
import { runAs } from "../postgres-application.ts";
import { loginLogSettings, postgresLoginLog } from "../postgres-login-log.ts";
import { databaseStory, onePassword, twinActs } from "../story.ts";

export const engine: DemoEngine = {
  story: databaseStory("PostgreSQL", "rds-postgres", [onePassword, ...twinActs]),
  handlers: {
    "single-user": import.meta.resolve("@quarterturn/rds-postgres/single-user"),
    "multi-user": import.meta.resolve("@quarterturn/rds-postgres/multi-user"),
  },

  async start() {
    await using started = new AsyncDisposableStack();
    const server = started.use(await startPostgres({ version: "18", settings: loginLogSettings }));
    const address = { host: server.host, port: server.port };
    const admin = { username: "rds_admin", password: newPassword() };
    const login = { username: "checkout", password: newPassword(), ...address, dbname: "shop" };
    await createUsers(server, admin, login);
    const secret = { name: "prod/checkout/db", value: login };
    const running = started.move();
    return {
      title: `PostgreSQL ${server.version}`,
      ...address,
      caFile: server.caFile,
      adminSecret: { ...admin, ...address },
      secrets: () => ({ "single-user": secret, "multi-user": secret }),
      use: (value) => runAs(value as typeof login, server.ca, "INSERT INTO orders DEFAULT VALUES", INVALID_PASSWORD),
      loginLog: postgresLoginLog(server.logFile),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },
};

/** SQLSTATE */
const INVALID_PASSWORD = "28P01";

interface User {
  readonly username: string;
  readonly password: string;
}

/** As an administrator of RDS would: the admin may create roles and is no superuser. */
async function createUsers(server: PostgresServer, admin: User, login: User): Promise<void> {
  const superuser = await server.connect();
  await superuser.query(`CREATE ROLE rds_admin LOGIN CREATEROLE PASSWORD ${escapeLiteral(admin.password)}`);
  const creator = await server.connect({ user: admin.username, password: admin.password });
  await creator.query(`CREATE ROLE checkout LOGIN PASSWORD ${escapeLiteral(login.password)}`);
  await creator.end();
  await superuser.query("CREATE DATABASE shop OWNER checkout");
  await superuser.end();
  const owner = await server.connect({ user: login.username, password: login.password, database: "shop" });
  await owner.query("CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, placed timestamptz DEFAULT now())");
  await owner.end();
}
