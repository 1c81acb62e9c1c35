import { randomBytes } from "node:crypto";
import { startRedshiftImitation } from "../../../../packages/redshift/test/imitation/server.ts";
import type { BenchEngine } from "../engine.ts";
import { loginsIn, postgresApplication } from "../postgres-protocol.ts";

/** By wire, against the server that packages/redshift is tested with: the times are not Redshift's. */
export const engine: BenchEngine = {
  folder: "packages/redshift",
  isDatabase: true,
  windows: { "single-user": "refused", "multi-user": "none" },

  async start() {
    const server = await startRedshiftImitation();
    const { superuser, postgres } = server;
    await superuser.query("ALTER SYSTEM SET log_connections = 'on'");
    await superuser.query("SELECT pg_reload_conf()");
    const address = { host: server.host, port: server.port, dbname: "dev" };
    return {
      title: `PostgreSQL ${postgres.version} dressed as Redshift`,
      ...address,
      caFile: server.caFile,
      adminSecret: { ...server.admin, ...address },

      async createAccount(username) {
        const password = randomBytes(16).toString("hex");
        await superuser.query(`CREATE USER ${username} PASSWORD '${password}'`);
        return { username, password, ...address };
      },

      logins: () => loginsIn(postgres.logFile),

      growth: {
        cases: [
          {
            name: "by copies of the grants",
            rounds: 3,
            async grantTables(username, tables) {
              await superuser.query(`CREATE SCHEMA of_${username}`);
              // A transaction holds a lock for each table that it makes, and there are not enough for all.
              for (let from = 1; from <= tables; from += 500) {
                await superuser.query(`DO $$ BEGIN FOR i IN ${from}..${Math.min(tables, from + 499)} LOOP
                  EXECUTE format('CREATE TABLE of_${username}.table_%s ()', i); END LOOP; END $$`);
              }
              await superuser.query(`GRANT USAGE ON SCHEMA of_${username} TO ${username}`);
              await superuser.query(`GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA of_${username} TO ${username}`);
            },
          },
        ],
        async dropUser(username) {
          const { rowCount } = await superuser.query("SELECT FROM pg_roles WHERE rolname = $1", [username]);
          if (rowCount) await superuser.query(`DROP OWNED BY ${username}; DROP ROLE ${username}`);
        },
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },

  application: postgresApplication("dev", "28000"),
};
