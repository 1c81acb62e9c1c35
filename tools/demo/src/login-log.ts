import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";

/** A login as the server's log tells it. */
export interface Login {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly outcome: "accepted" | "refused";
  /** The client's application_name. The server does not log it for a refused login. */
  readonly application?: string;
}

/** The server's settings that make its log readable here. */
export const loginLogSettings = { log_connections: "authorization", log_line_prefix: "%n " };

/** What a server with these settings has logged so far. */
export interface LoginLog {
  readonly logins: readonly Login[];
  /** Reads what was added since the last time. */
  update(): Promise<void>;
}

export function loginLogOf(file: string): LoginLog {
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
  // Before a session exists, FATAL is what ends a login.
  if (level === "FATAL") return [{ time, outcome: "refused" }];
  const application = /^connection authorized: .* application_name=(\S+)/.exec(message)?.[1];
  return application === undefined ? [] : [{ time, outcome: "accepted", application }];
}
