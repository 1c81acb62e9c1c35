import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { serverUser } from "./server-user.ts";

/** A server program in a folder of its own. Both are gone when it is closed, and when this process ends in any way. */
export interface SupervisedServer {
  /** What the server program writes. */
  readonly logFile: string;
  /** Whether the server program has ended, of its own accord or because it could not start. */
  ended(): boolean;
  /** Stops the server program, interrupting its clients, and removes the folder. Idempotent. */
  close(): Promise<void>;
}

/**
 * The supervisor: a shell whose standard input is a pipe from this process. The system closes the pipe when this process
 * ends, by SIGKILL too, so there is one way to stop. SIGINT is PostgreSQL's fast shutdown; a shell starts its background
 * programs with SIGINT ignored, so one that has not got as far as its own signal handlers needs the SIGTERM, which later
 * adds nothing.
 */
const SUPERVISOR = `
folder=$1; template=$2; shift 2
exec 3<&0 >>"$folder/log" 2>&1
cp -R "$template" "$folder/data" && {
  "$@" </dev/null 3<&- & server=$!
  { read -r _ <&3; kill -INT $server; kill -TERM $server; } & watcher=$!
  wait $server
  kill $watcher
}
: >"$folder/ended"
read -r _ <&3
rm -rf "$folder"
`;

/**
 * @param folder an existing folder that belongs to the server's user
 * @param template a folder; a copy of it becomes `folder/data`
 * @param command the server program and its arguments
 */
export async function superviseServer(
  folder: string,
  template: string,
  command: readonly string[],
): Promise<SupervisedServer> {
  const supervisor = spawn("/bin/sh", ["-c", SUPERVISOR, "supervisor", folder, template, ...command], {
    ...serverUser(),
    cwd: "/",
    // Away from the terminal: its Ctrl-C would end the supervisor before it has removed the folder.
    detached: true,
    // Nothing of the caller's environment: PGOPTIONS and the like change a server, and it may hold secrets.
    env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  await once(supervisor, "spawn");
  const exit = once(supervisor, "exit");
  return {
    logFile: join(folder, "log"),
    ended: () => existsSync(join(folder, "ended")),
    async close() {
      supervisor.stdin.end();
      const [code, signal] = await exit;
      if (code !== 0) throw new Error(`The supervisor of ${folder} ended with ${signal ?? code}: look what it left.`);
    },
  };
}
