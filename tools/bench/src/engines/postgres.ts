import { randomBytes } from "node:crypto";
import { startPostgres } from "@quarterturn-tools/engines";
import type { Client } from "pg";
import type { BenchEngine } from "../engine.ts";
import { loginsIn, postgresApplication } from "../postgres-protocol.ts";

export const engine: BenchEngine = {
  folder: "packages/rds-postgres",
  isDatabase: true,
  windows: { "single-user": "refused", "multi-user": "none" },
  handlerKb: 600,
  // aws-samples/aws-secrets-manager-rotation-lambdas (b4b8eca), PostgreSQL 18.4 over trusted TLS and moto, both on loopback; medians.
  aws: {
    "single-user": {
      apiCalls: 14,
      logins: 4,
      refusedLogins: 2,
      rotationMs: { warm: 247, cold: 1827 },
      apiMs: 111,
      refusedWindowMs: { warm: 136, cold: 1267 },
      importMs: 207,
      peakMemoryMb: 49,
      zipBytes: 373_000,
    },
    "multi-user": {
      apiCalls: 14,
      logins: 5,
      refusedLogins: 2,
      rotationMs: { warm: 278, cold: 1944 },
      apiMs: 113,
      refusedWindowMs: { warm: 0, cold: 0 },
      importMs: 214,
      peakMemoryMb: 49,
      zipBytes: 376_000,
    },
  },

  async start() {
    await using starting = new AsyncDisposableStack();
    const server = starting.use(await startPostgres({ settings: { log_connections: "on" } }));
    const admin = await server.connect();
    const running = starting.move();
    return {
      title: `PostgreSQL ${server.version}`,
      host: server.host,
      port: server.port,
      caFile: server.caFile,
      adminSecret: { ...server.admin, host: server.host, port: server.port },

      async createAccount(username) {
        const password = randomBytes(16).toString("hex");
        await admin.query(`CREATE ROLE ${username} LOGIN PASSWORD '${password}'`);
        return { username, password, host: server.host, port: server.port };
      },

      logins: () => loginsIn(server.logFile),

      growth: {
        cases: [
          { name: "by membership", rounds: 15, grantTables: (username, tables) => grant(admin, username, tables) },
        ],
        dropUser: async (username) => void (await admin.query(`DROP ROLE IF EXISTS ${username}`)),
      },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },

  application: postgresApplication("postgres", "28P01"),
};

/** The tables are somebody else's, so that the user's rights are grants. */
async function grant(admin: Client, username: string, tables: number): Promise<void> {
  const schema = `of_${username}`;
  await admin.query(`CREATE SCHEMA ${schema}`);
  // A transaction holds a lock for each table that it makes, and there are not enough for all.
  await admin.query(`DO $$ BEGIN
    FOR i IN 1..${tables} LOOP
      EXECUTE format('CREATE TABLE ${schema}.table_%s ()', i);
      IF i % 500 = 0 THEN COMMIT; END IF;
    END LOOP;
  END $$`);
  await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO ${username}`);
  await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${username}`);
}
