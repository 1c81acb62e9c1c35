import { connect } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { handler as multiUser } from "@quarterturn/rds-mysql/multi-user";
import { handler as singleUser } from "@quarterturn/rds-mysql/single-user";
import { type MysqlServer, startMysql } from "@quarterturn-tools/engines";
import type { PoolOptions, RowDataPacket } from "mysql2";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSecretPool } from "../examples/mysql2-pool.ts";
import { figuresOf, type Rotating, startRotating, timeout } from "./rotations-under-load.ts";

const opened = new AsyncDisposableStack();
let server: MysqlServer;
let rotating: Rotating;
beforeAll(async () => {
  server = opened.use(await startMysql());
  setDefaultCACertificates([...getCACertificates("default"), server.ca]);
  rotating = opened.use(await startRotating({ "single-user": singleUser, "multi-user": multiUser }));
});
afterAll(() => opened.disposeAsync());

async function userSecret(username: string, more: object = {}): Promise<string> {
  const admin = await server.connect();
  await admin.query(`CREATE USER ${username} IDENTIFIED BY 'first-password'`);
  await admin.query(`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${username}`);
  await admin.end();
  const { host, port } = server;
  const value = { host, port: String(port), username, password: "first-password", dbname: "information_schema" };
  return rotating.createSecret(username, { ...value, ...more });
}

/** A pool of which a request may end its connection. */
function pooled(secretId: string) {
  const pool = createSecretPool(rotating.cache, secretId);
  const known = new Set<number>();
  const request = async () => {
    const connection = await pool.getConnection();
    const isLogin = !known.has(connection.threadId);
    known.add(connection.threadId);
    await connection.query("SELECT 1");
    return { isLogin, end: (isLast: boolean) => (isLast ? connection.destroy() : connection.release()) };
  };
  return { pool, request } as const;
}

it("a mysql2 pool survives 100 rotations of alternating users, and no request fails", { timeout }, async ({
  annotate,
}) => {
  const { host, port, admin } = server;
  const masterarn = await rotating.createSecret("admin", { host, port, ...admin });
  const secretId = await userSecret("alternating", { masterarn });
  const { pool, request } = pooled(secretId);
  const course = await rotating.underLoad(secretId, "multi-user", 100, request);
  await annotate(figuresOf(course));
  expect(course.failures).toEqual([]);
  expect(course.logins).toBeGreaterThan(100);
  const [rows] = await pool.execute("SELECT user() AS name, database() AS db");
  expect(rows).toEqual([{ name: expect.stringMatching(/^alternating(_clone)?@/), db: "information_schema" }]);
  await pool.end();
});

it("TLS is verified, the host's name too, and off only where the secret's ssl is false", async () => {
  const cipher = async (secretId: string, options: PoolOptions = {}) => {
    const pool = createSecretPool(rotating.cache, secretId, options);
    try {
      const [[row]] = await pool.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
      return row?.Value as string;
    } finally {
      await pool.end();
    }
  };
  const verified = await userSecret("verified");
  expect(await cipher(verified)).not.toBe("");
  await expect(cipher(verified, { ssl: { ca: [] } })).rejects.toThrow(/certificate/);
  const elsewhere = await userSecret("elsewhere", { host: "db.example" });
  const stream = () => connect(server.port, "localhost");
  await expect(cipher(elsewhere, { stream })).rejects.toThrow(/does not match certificate.*db\.example/);
  // What a user logs in with is cached by the server then, and needs no encryption.
  const plain = await userSecret("plain");
  await cipher(plain);
  const { host, port } = server;
  const login = { host, port, username: "plain", password: "first-password" };
  expect(await cipher(await rotating.createSecret("unencrypted", { ...login, ssl: "false" }))).toBe("");
});

it("a mysql2 pool sees nothing of the rotations of a single user that may keep two passwords", { timeout }, async ({
  annotate,
}) => {
  const secretId = await userSecret("single");
  const { pool, request } = pooled(secretId);
  const course = await rotating.underLoad(secretId, "single-user", 10, request);
  await annotate(figuresOf(course));
  expect(course.failures).toEqual([]);
  await pool.end();
});
