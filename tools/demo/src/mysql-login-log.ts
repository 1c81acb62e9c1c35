import type { Connection, RowDataPacket } from "mysql2/promise";
import type { Login, LoginLog } from "./login-log.ts";

/** The server's settings under which it tells of logins: MariaDB's log file has whole seconds only, the table has microseconds. */
export const mysqlLoginLogSettings = { "general-log": "ON", "log-output": "TABLE" };

/**
 * The logins in the general log of a MySQL or MariaDB with these settings. A login counts when its session has ended, which is when the
 * application has said that it was its own.
 *
 * @param administrator a connection for this alone
 * @param applications ids of the application's connections, of those so far
 */
export async function mysqlLoginLog(administrator: Connection, applications: Set<number | null>): Promise<LoginLog> {
  // Its own statements are not to be in the log.
  await administrator.query("SET SESSION sql_log_off = 1");
  const logins: Login[] = [];
  const known = new Set<unknown>();
  return {
    logins,
    async update() {
      const [rows] = await administrator.query<RowDataPacket[]>(endedLogins);
      for (const { connection, startedAt, isRefused } of rows) {
        if (known.has(connection)) continue;
        known.add(connection);
        const by = applications.has(Number(connection)) ? "application" : "function";
        const time = Number(startedAt) * 1000;
        // Who it was that was refused is not said: a client learns its connection's id only when it has logged in.
        logins.push(isRefused ? { time, outcome: "refused" } : { time, outcome: "accepted", by });
      }
    },
  };
}

/** A refused login has a second row that says so, and no end. */
const endedLogins = `
  SELECT thread_id AS connection, UNIX_TIMESTAMP(MIN(event_time)) AS startedAt, MAX(argument LIKE 'Access denied%') AS isRefused
  FROM mysql.general_log WHERE command_type IN ('Connect', 'Quit')
  GROUP BY thread_id HAVING isRefused OR SUM(command_type = 'Quit') > 0`;
