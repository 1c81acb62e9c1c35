import { randomBytes } from "node:crypto";
import type { Environment } from "@quarterturn/core";
import { type DatabaseSecret, databaseSettings, multiUser, rdsDirectory, singleUser } from "@quarterturn/database";
import { createTrustedCa, type MysqlOptions, type MysqlServer, startMysql } from "@quarterturn-tools/engines";
import { rotatorByHand } from "@quarterturn-tools/test/rotator-by-hand";
import type { RowDataPacket } from "mysql2/promise";
import { manifest, mysql } from "../src/index.ts";
import { accountName, literal } from "../src/sql.ts";

export const ca = await createTrustedCa();

export interface Fixture extends AsyncDisposable {
  readonly server: MysqlServer;
  /** An admin with what rds_superuser_role has for a rotation. */
  readonly admin: { readonly username: string; readonly password: string };
  /** Runs statements as a user with all rights. */
  asRoot(...statements: readonly string[]): Promise<readonly RowDataPacket[]>;
  /** A new user with a login, and its secret. */
  createUser(name?: string, password?: string, host?: string): Promise<DatabaseSecret>;
  /** Logs in afresh and asks, as an application would. */
  query(secret: Pick<DatabaseSecret, "username" | "password">, sql: string): Promise<readonly RowDataPacket[]>;
  /** Whether a fresh login is accepted. */
  accepts(secret: Pick<DatabaseSecret, "username" | "password">): Promise<boolean>;
}

export async function startFixture(
  options: MysqlOptions = {},
  start: (options: MysqlOptions) => Promise<MysqlServer> = startMysql,
): Promise<Fixture> {
  const certificate = await ca.issue({ hosts: ["localhost", "127.0.0.1"] });
  const server = await start({ certificate, ...options });
  const root = await server.connect();
  const asRoot = async (...statements: readonly string[]) => {
    let rows: readonly RowDataPacket[] = [];
    for (const statement of statements) [rows] = await root.query<RowDataPacket[]>(statement);
    return rows;
  };
  const admin = { username: "boss", password: "boss-password" };
  await asRoot("SET SESSION sql_mode = ''", "CREATE USER boss IDENTIFIED BY 'boss-password'");
  if (start === startMysql) await asRoot("GRANT SELECT, CREATE USER, ROLE_ADMIN ON *.* TO boss");
  let users = 0;
  const query = async (
    { username: user, password }: Pick<DatabaseSecret, "username" | "password">,
    sql: string,
  ): Promise<readonly RowDataPacket[]> => {
    const connection = await server.connect({ user, password });
    try {
      return (await connection.query<RowDataPacket[]>(sql))[0];
    } finally {
      await connection.end();
    }
  };
  return {
    server,
    admin,
    asRoot,
    async createUser(name = `app${++users}`, password = randomBytes(12).toString("hex"), host = "%") {
      await asRoot(`CREATE USER ${accountName({ user: name, host })} IDENTIFIED BY ${literal(password)}`);
      return {
        host: server.host,
        port: server.port,
        username: name,
        password,
        userKeys: {},
        ssl: true,
        masterarn: "admin",
      };
    },
    query,
    accepts: (secret) =>
      query(secret, "SELECT 1").then(
        () => true,
        (error: { errno?: number }) => {
          if (error.errno === 1045) return false;
          throw error;
        },
      ),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

export const single = (env: Environment = {}) => singleUser(mysql(env), databaseSettings(env, manifest));
export const multi = (env: Environment = {}) =>
  multiUser(mysql(env), rdsDirectory(manifest.engines), databaseSettings(env, manifest));

export const { contextOf, successor, alternate } = rotatorByHand(
  ({ server, admin }: Fixture) => ({ engine: "mysql", host: server.host, port: server.port, ...admin }),
  single,
  multi,
);
