import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { type MysqlServer, startMysql } from "@quarterturn-tools/engines";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import type { BenchEngine, BenchServer } from "../engine.ts";

export const engine: BenchEngine = {
  folder: "packages/rds-mysql",
  isDatabase: true,
  // A user may keep its old password beside the new one.
  windows: { "single-user": "none", "multi-user": "none" },
  handlerKb: 1_500,
  // aws-samples/aws-secrets-manager-rotation-lambdas (b4b8eca), MySQL 9.7.4 over trusted TLS and moto, both on loopback; medians.
  aws: {
    "single-user": {
      apiCalls: 14,
      logins: 4,
      refusedLogins: 2,
      rotationMs: { warm: 273, cold: 2172 },
      apiMs: 112,
      refusedWindowMs: { warm: 139, cold: 1376 },
      importMs: 239,
      peakMemoryMb: 53,
      zipBytes: 49_000,
    },
    "multi-user": {
      apiCalls: 14,
      logins: 5,
      refusedLogins: 2,
      rotationMs: { warm: 256, cold: 2378 },
      apiMs: 102,
      refusedWindowMs: { warm: 0, cold: 0 },
      importMs: 236,
      peakMemoryMb: 54,
      zipBytes: 52_000,
    },
  },

  async start() {
    const server = await startMysql();
    const admin = await server.connect();
    const rights = ["APPLICATION_PASSWORD_ADMIN ON *.*"];
    return {
      ...mysqlServer("MySQL", server, admin, rights),
      growth: {
        cases: [
          { name: "by role", rounds: 15, grantTables: (username, tables) => grantTables(admin, username, tables) },
          {
            name: "by copies of the grants",
            rounds: 3,
            async grantTables(username, tables) {
              await grantTables(admin, username, tables);
              // As a role the user would bring a role with it that its own sessions do not start with.
              await admin.query(`CREATE ROLE of_${username}`);
              await admin.query(`GRANT of_${username} TO ${username}`);
            },
          },
        ],
        dropUser: async (username) => void (await admin.query(`DROP USER IF EXISTS ${username}`)),
      },
    };
  },

  application: mysqlApplication,
};

/** @param rights what each account has, beside its login */
export function mysqlServer(
  title: string,
  server: MysqlServer,
  admin: Connection,
  rights: readonly string[],
): BenchServer {
  const address = { host: server.host, port: server.port };
  return {
    title: `${title} ${server.version}`,
    ...address,
    caFile: server.caFile,
    adminSecret: { ...server.admin, ...address },

    async createAccount(username) {
      const password = randomBytes(16).toString("hex");
      await admin.query(`CREATE USER ${username} IDENTIFIED BY '${password}'`);
      for (const right of rights) await admin.query(`GRANT ${right} TO ${username}`);
      return { username, password, ...address };
    },

    async logins() {
      const [rows] = await admin.query<RowDataPacket[]>(
        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Connections', 'Aborted_connects')",
      );
      const count = (name: string) => Number(rows.find((row) => row.Variable_name === name)?.Value);
      const refused = count("Aborted_connects");
      return { accepted: count("Connections") - refused, refused };
    },

    [Symbol.asyncDispose]: () => server.close(),
  };
}

export async function mysqlApplication(caFile = "") {
  // One object for all connections: the driver makes one context for each.
  const ssl = { ca: await readFile(caFile), verifyIdentity: true };
  return async ({ host, port, username, password }: Readonly<Record<string, unknown>>) => {
    const socket = connect({ host: String(host), port: Number(port), noDelay: true });
    try {
      const client = await createConnection({
        host: String(host),
        user: String(username),
        password: String(password),
        ssl,
        stream: () => socket,
      });
      await client.end();
      if (!socket.closed) await once(socket, "close");
      return "accepted";
    } catch (error) {
      socket.destroy();
      if ((error as { errno?: number }).errno === 1045) return "refused";
      throw error;
    }
  };
}

/**
 * The grants' own table is written, since ten thousand tables would take minutes to make; the server then reads it as at its start. Without the
 * right to CREATE, rights on a table that there is not cannot be granted to a twin.
 */
async function grantTables(admin: Connection, username: string, tables: number): Promise<void> {
  await admin.query("SET SESSION cte_max_recursion_depth = 1000000");
  await admin.query(
    `INSERT INTO mysql.tables_priv (Host, Db, User, Table_name, Grantor, Table_priv, Column_priv)
    WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
    SELECT '%', ?, ?, CONCAT('table_', number), 'admin@%', 'Select,Insert,Update,Delete,Create', '' FROM numbers`,
    [tables, `of_${username}`, username],
  );
  await admin.query("FLUSH PRIVILEGES");
}
