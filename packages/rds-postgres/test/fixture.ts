import { randomBytes } from "node:crypto";
import type { Environment } from "@quarterturn/core";
import { type DatabaseSecret, databaseSettings, multiUser, rdsDirectory, singleUser } from "@quarterturn/database";
import {
  createTrustedCa,
  POSTGRES_VERSIONS,
  type PostgresOptions,
  type PostgresServer,
  startPostgres,
} from "@quarterturn-tools/engines";
import { rotatorByHand } from "@quarterturn-tools/test/rotator-by-hand";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { manifest, postgres } from "../src/index.ts";

export const ca = await createTrustedCa();

/** The newest release of each major version. */
export const currentMinors = POSTGRES_VERSIONS.filter((version) => !version.includes("."));

export interface Fixture extends AsyncDisposable {
  readonly server: PostgresServer;
  /** A superuser's connection. */
  readonly superuser: Client;
  /** An admin that is CREATEROLE and not superuser, as rds_superuser in effect is, and may act for the users of `createUser`. */
  readonly admin: { readonly username: string; readonly password: string };
  /** A new user with a login, and its secret. */
  createUser(name?: string, password?: string): Promise<DatabaseSecret>;
  /** Logs in afresh and asks, as an application would. */
  query(secret: DatabaseSecret, sql: string, database?: string): Promise<Record<string, unknown>[]>;
}

export async function startFixture(options: PostgresOptions = {}): Promise<Fixture> {
  const certificate = await ca.issue({ hosts: ["localhost", "127.0.0.1"] });
  const server = await startPostgres({ certificate, ...options });
  const superuser = await server.connect();
  const admin = { username: "boss", password: "boss-password" };
  await superuser.query("CREATE ROLE boss CREATEROLE LOGIN PASSWORD 'boss-password'");
  let users = 0;
  return {
    server,
    superuser,
    admin,
    async createUser(name = `app${++users}`, password = randomBytes(12).toString("hex")) {
      await superuser.query(`CREATE ROLE ${escapeIdentifier(name)} LOGIN PASSWORD ${escapeLiteral(password)}`);
      await superuser.query(`GRANT ${escapeIdentifier(name)} TO boss WITH ADMIN OPTION`);
      return {
        host: server.host,
        port: server.port,
        username: name,
        password,
        dbname: "postgres",
        userKeys: {},
        ssl: true,
        masterarn: "admin",
      };
    },
    async query({ username, password }, sql, database = "postgres") {
      const client = await server.connect({ user: username, password, database });
      try {
        return (await client.query(sql)).rows as Record<string, unknown>[];
      } finally {
        await client.end();
      }
    },
    async [Symbol.asyncDispose]() {
      await superuser.end();
      await server.close();
    },
  };
}

export const single = (env: Environment = {}) => singleUser(postgres(env), databaseSettings(env, manifest));
export const multi = (env: Environment = {}) =>
  multiUser(postgres(env), rdsDirectory(manifest.engines), databaseSettings(env, manifest));

export const { contextOf, successor, alternate } = rotatorByHand(
  ({ server, admin }: Fixture) => ({ engine: "postgres", host: server.host, port: server.port, ...admin }),
  single,
  multi,
);
