import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import type { Login, LoginLog } from "./login-log.ts";

/** The name under which the application's connections appear in the server's log. */
export const APPLICATION_NAME = "checkout";

/** The server's settings that make its log readable here. */
export const loginLogSettings = { log_connections: "authorization", log_line_prefix: "%n " };

/** The logins in the log of a PostgreSQL with these settings. */
export function postgresLoginLog(file: string): LoginLog {
  const logins: Login[] = [];
  let offset = 0;
  return {
    logins,
    async update() {
      const added = await buffer(createReadStream(file, { start: offset }));
      // The server may be in the middle of a line.
      const complete = added.subarray(0, added.lastIndexOf("\n") + 1);
      offset += complete.length;
      logins.push(...complete.toString().split("\n").flatMap(loginOf));
    },
  };
}

/** The login that a line of the log tells of, if it does. */
export function loginOf(line: string): Login[] {
  const [, seconds, level, message = ""] = /^(\d+\.\d+) (LOG|FATAL): {2}(.*)$/.exec(line) ?? [];
  const time = Number(seconds) * 1000;
  // Before a session exists, FATAL is what ends a login, and whose it was is not said.
  if (level === "FATAL") return [{ time, outcome: "refused" }];
  const client = /^connection authorized: .* application_name=(\S+)/.exec(message)?.[1];
  if (client === APPLICATION_NAME) return [{ time, outcome: "accepted", by: "application" }];
  if (client === "quarterturn") return [{ time, outcome: "accepted", by: "function" }];
  return [];
}
