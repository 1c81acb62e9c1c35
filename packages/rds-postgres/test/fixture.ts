import { randomBytes } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { deadlineOf, type Environment, jsonLog, type RotationContext } from "@quarterturn/core";
import { type DatabaseSecret, databaseSettings, multiUser, rdsDirectory, singleUser } from "@quarterturn/database";
import {
  createTestCa,
  POSTGRES_VERSIONS,
  type PostgresOptions,
  type PostgresServer,
  startPostgres,
} from "@quarterturn-tools/engines";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { manifest, postgres } from "../src/index.ts";

/** The one authority of a test file: it must be trusted before the first login, since the process makes one TLS context. */
const ca = await createTestCa();
setDefaultCACertificates([...getCACertificates("default"), ca.pem]);

export const issueCertificate = ca.issue;

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

/** A context as the Lambda adapter makes it, whose log can be read and whose only other secret is the admin's. */
export function contextOf(
  { server, admin }: Fixture,
  adminSecret: object = {},
): RotationContext & { readonly lines: string[] } {
  const lines: string[] = [];
  const text = JSON.stringify({ engine: "postgres", host: server.host, port: server.port, ...admin, ...adminSecret });
  return {
    lines,
    secretId: "arn:secret",
    token: "token",
    deadline: deadlineOf(() => 20_000),
    log: jsonLog(
      (line) => lines.push(line),
      "DEBUG",
      {},
      (line) => line,
    ),
    readSecret: async () => text,
    describeSecret: async () => ({ tags: {} }),
    requirePending: async () => undefined,
  };
}

export const single = (env: Environment = {}) => singleUser(postgres(env), databaseSettings(env, manifest));
export const multi = (env: Environment = {}) =>
  multiUser(postgres(env), rdsDirectory(manifest.engines), databaseSettings(env, manifest));

/** The next version of a secret, as createSecret makes it. */
export async function successor(current: DatabaseSecret, rotator = single()): Promise<DatabaseSecret> {
  return { ...current, ...(await rotator.create(current, undefined as never)) };
}

/** One multi-user rotation: the secret that is current afterwards. */
export async function alternate(
  fixture: Fixture,
  current: DatabaseSecret,
  context: RotationContext = contextOf(fixture),
  env: Environment = {},
): Promise<DatabaseSecret> {
  const pending = await successor(current, multi(env));
  await multi(env).set({ current, pending, previous: async () => undefined }, context);
  await multi(env).test(pending, context);
  return pending;
}
