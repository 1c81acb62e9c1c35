import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { serverUser } from "./server-user.ts";

/** A server program in a folder of its own. Both are gone when it is closed, and when this process ends in any way. */
export interface SupervisedServer {
  readonly folder: string;
  /** What the server program writes. */
  readonly logFile: string;
  log(): Promise<string>;
  /** Whether the server program has ended, of its own accord or because it could not start. */
  ended(): boolean;
  /** Stops the server program, interrupting its clients, and removes the folder. Idempotent. */
  close(): Promise<void>;
}

export interface ServerRecipe {
  readonly name: string;
  /** A folder whose copy becomes `data` in the server's folder. */
  readonly template: string;
  /** Further files in the server's folder, by name. Only the server's user can read them. */
  files(folder: string): Readonly<Record<string, string>>;
  /** The server program and its arguments. */
  command(folder: string): readonly string[];
  /** What ends the server program, without the SIG of their names. */
  readonly stopSignals: readonly string[];
}

/**
 * The supervisor: a shell whose standard input is a pipe from this process. The system closes the pipe when this process
 * ends, by SIGKILL too, so there is one way to stop. The shell makes the folder, so that no moment is left in which only
 * this process could remove it; a line from here says that the folder's files are there.
 *
 * A shell starts its background programs with SIGINT ignored, so one that is to be stopped by it and has not got as far as
 * its own signal handlers needs another signal after it, which later adds nothing.
 */
const SUPERVISOR = `
folder=$1; template=$2; signals=$3; shift 3
exec 3<&0
mkdir -m 700 "$folder" || exit
exec >>"$folder/log" 2>&1
if cp -R "$template" "$folder/data" && read -r _ <&3; then
  "$@" </dev/null 3<&- & server=$!
  { read -r _ <&3; for signal in $signals; do kill -"$signal" $server; done; } & watcher=$!
  wait $server
  kill $watcher
fi
: >"$folder/ended"
read -r _ <&3
rm -rf "$folder"
`;

/** Starts a server program; it is not ready yet. Its folder is in the temporary folder. */
export async function superviseServer(recipe: ServerRecipe): Promise<SupervisedServer> {
  const user = serverUser();
  const folder = join(tmpdir(), `quarterturn-${recipe.name}-${randomUUID()}`);
  const supervisor = spawn(
    "/bin/sh",
    [
      ...["-c", SUPERVISOR, "supervisor", folder, recipe.template, recipe.stopSignals.join(" ")],
      ...recipe.command(folder),
    ],
    {
      ...user,
      cwd: "/",
      // Away from the terminal: its Ctrl-C would end the supervisor before it has removed the folder.
      detached: true,
      // Nothing of the caller's environment: PGOPTIONS and the like change a server, and it may hold secrets.
      env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
      stdio: ["pipe", "ignore", "pipe"],
    },
  );
  await once(supervisor, "spawn");
  const exit = once(supervisor, "exit");
  const complaint = await text(supervisor.stderr);
  if (complaint !== "") {
    throw new Error(`User id ${user.uid} could not make ${folder}: set TMPDIR to a folder where it can. ${complaint}`);
  }
  const close = async () => {
    supervisor.stdin.end();
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`The supervisor of ${folder} ended with ${signal ?? code}. Remove the folder.`);
  };
  try {
    await writeFiles(folder, recipe.files(folder));
    supervisor.stdin.write("\n");
  } catch (error) {
    await close();
    throw error;
  }
  const logFile = join(folder, "log");
  return {
    folder,
    logFile,
    log: () => readFile(logFile, "utf8"),
    ended: () => existsSync(join(folder, "ended")),
    close,
  };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { uid, gid } = serverUser();
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    await chown(join(folder, name), uid, gid);
  }
}
