import { execFile } from "node:child_process";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { handler as multiUser } from "@quarterturn/rds-postgres/multi-user";
import { handler as singleUser } from "@quarterturn/rds-postgres/single-user";
import { type PostgresServer, startPostgres } from "@quarterturn-tools/engines";
import type { PoolConfig } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SecretPool } from "../examples/pg-pool.ts";
import { figuresOf, type Rotating, startRotating, timeout } from "./rotations-under-load.ts";

const opened = new AsyncDisposableStack();
let server: PostgresServer;
let rotating: Rotating;
beforeAll(async () => {
  server = opened.use(await startPostgres());
  setDefaultCACertificates([...getCACertificates("default"), server.ca]);
  rotating = opened.use(await startRotating({ "single-user": singleUser, "multi-user": multiUser }));
});
afterAll(() => opened.disposeAsync());

async function userSecret(username: string, more: object = {}): Promise<string> {
  const admin = await server.connect();
  await admin.query(`CREATE ROLE ${username} LOGIN PASSWORD 'first-password'`);
  await admin.end();
  const { host, port } = server;
  const value = { host, port: String(port), username, password: "first-password" };
  return rotating.createSecret(username, { ...value, ...more });
}

/** A pool of which a request may end its connection. */
function pooled(secretId: string) {
  const pool = new SecretPool(rotating.cache, secretId);
  // The server's end of idle connections, when it stops; without a listener that would end the process.
  pool.on("error", () => undefined);
  const known = new WeakSet();
  const request = async () => {
    const client = await pool.connect();
    const isLogin = !known.has(client);
    known.add(client);
    await client.query("SELECT 1");
    return { isLogin, end: (isLast: boolean) => client.release(isLast) };
  };
  return { pool, request } as const;
}

it("a pg Pool survives 100 rotations of alternating users, and no request fails", { timeout }, async ({ annotate }) => {
  const { host, port, admin } = server;
  const masterarn = await rotating.createSecret("admin", { host, port, ...admin });
  const secretId = await userSecret("alternating", { masterarn });
  const { pool, request } = pooled(secretId);
  const course = await rotating.underLoad(secretId, "multi-user", 100, request);
  await annotate(figuresOf(course));
  expect(course.failures).toEqual([]);
  expect(course.logins).toBeGreaterThan(100);
  const { rows } = await pool.query("SELECT session_user AS name");
  expect(rows).toEqual([{ name: expect.stringMatching(/^alternating(_clone)?$/) }]);
  await pool.end();
});

it("TLS is verified, and off only where the secret's ssl is false; a database that the application names goes first", async () => {
  const session = async (secretId: string, config: PoolConfig = {}) => {
    const pool = new SecretPool(rotating.cache, secretId, config);
    try {
      const sql = "SELECT ssl, current_database() AS db FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
      return (await pool.query(sql)).rows[0];
    } finally {
      await pool.end();
    }
  };
  const verified = await userSecret("verified", { dbname: "template1" });
  expect(await session(verified)).toEqual({ ssl: true, db: "template1" });
  expect(await session(verified, { ssl: false, database: "postgres" })).toEqual({ ssl: true, db: "postgres" });
  await expect(session(verified, { ssl: { ca: [] } })).rejects.toThrow(/certificate/);
  expect(await session(await userSecret("plain", { ssl: "False" }))).toEqual({ ssl: false, db: "postgres" });
});

it("the README's example runs with the environment and the server's authority alone", async () => {
  const { port } = server;
  const secretId = await userSecret("shop", { dbname: "template1" });
  const value = JSON.stringify(await rotating.cache.get(secretId));
  await rotating.createSecret("prod/shop/db", { ...JSON.parse(value), port: String(port) });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@quarterturn/source", join(import.meta.dirname, "../examples/pg-query.ts")],
    {
      env: { ...process.env, AWS_ENDPOINT_URL_SECRETS_MANAGER: rotating.url, NODE_EXTRA_CA_CERTS: server.caFile },
      timeout: 20_000,
    },
  );
  expect(stdout).toBe("Logged in to template1\n");
});

it("a pg Pool recovers from each rotation of a single user by itself", { timeout }, async ({ annotate }) => {
  const secretId = await userSecret("single");
  const { pool, request } = pooled(secretId);
  const course = await rotating.underLoad(secretId, "single-user", 10, request);
  await annotate(figuresOf(course));
  expect(course.unexpected).toEqual([]);
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await pool.end();
});

it("who prints the pool sees no password", async () => {
  const { pool } = pooled(await userSecret("printed"));
  await pool.query("SELECT 1");
  expect(JSON.stringify(pool.options)).not.toContain("first-password");
  await pool.end();
});
