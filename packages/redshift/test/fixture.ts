import { randomBytes } from "node:crypto";
import type { Environment } from "@quarterturn/core";
import { type DatabaseSecret, multiUser, singleUser } from "@quarterturn/database";
import { createTrustedCa } from "@quarterturn-tools/engines";
import { rotatorByHand } from "@quarterturn-tools/test/rotator-by-hand";
import { escapeIdentifier, escapeLiteral } from "pg";
import { redshiftDirectory } from "../src/directory.ts";
import { redshift, redshiftSettings } from "../src/index.ts";
import { storedForm } from "../src/password.ts";
import { execute, type RedshiftImitation, startRedshiftImitation } from "./imitation/server.ts";

export const ca = await createTrustedCa();

export interface Fixture extends AsyncDisposable {
  readonly server: RedshiftImitation;
  /** A new user with a login, and its secret. */
  createUser(name?: string, password?: string): Promise<DatabaseSecret>;
  /** Runs Redshift's statements as a superuser. */
  run(...statements: string[]): Promise<void>;
  /** Logs in afresh and runs SQL that both servers have, as an application would. */
  query(secret: DatabaseSecret, sql: string): Promise<Record<string, unknown>[]>;
}

export async function startFixture(): Promise<Fixture> {
  const server = await startRedshiftImitation(await ca.issue({ hosts: ["localhost", "127.0.0.1"] }));
  let users = 0;
  return {
    server,
    async createUser(name = `app${++users}`, password = `Aa1${randomBytes(12).toString("hex")}`) {
      const stored = escapeLiteral(storedForm(name, password));
      await server.superuser.query(`CREATE USER ${escapeIdentifier(name)} PASSWORD ${stored}`);
      const { host, port } = server;
      return {
        host,
        port,
        username: name,
        password,
        dbname: "dev",
        userKeys: {},
        ssl: true,
        masterarn: "admin",
      };
    },
    async run(...statements) {
      for (const sql of statements) await execute(server.superuser, sql);
    },
    async query({ username, password }, sql) {
      const client = await server.postgres.connect({ user: username, password, database: "dev" });
      try {
        return (await client.query(sql)).rows as Record<string, unknown>[];
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

export const single = (env: Environment = {}) => singleUser(redshift(env), redshiftSettings(env));
export const multi = (env: Environment = {}) => multiUser(redshift(env), redshiftDirectory, redshiftSettings(env));

export const { contextOf, successor, alternate } = rotatorByHand(
  ({ server }: Fixture) => ({ engine: "redshift", host: server.host, port: server.port, ...server.admin }),
  single,
  multi,
);
