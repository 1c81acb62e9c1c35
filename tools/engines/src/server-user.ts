import { execFile } from "node:child_process";
import { promisify } from "node:util";

const NOBODY = 65_534;

/**
 * Whom the servers run as. PostgreSQL refuses to run as root, so root's servers are nobody's: a user that exists
 * everywhere, which keeps this from changing the system.
 *
 * @throws Error on a platform without user ids
 */
export function serverUser(): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  if (uid === undefined || gid === undefined) {
    throw new Error(
      `Database servers cannot be started on ${process.platform}: use Linux or macOS, or a server's URL.`,
    );
  }
  return uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid };
}

/** Runs a program as that user. @returns what it writes to standard output */
export async function runAsServer(
  program: string,
  programArguments: readonly string[],
  standardInput = "",
): Promise<string> {
  const user = serverUser();
  try {
    const running = promisify(execFile)(program, programArguments, { ...user, cwd: "/" });
    // A program may end before it has read anything; its exit code says whether that was well.
    running.child.stdin?.on("error", () => undefined).end(standardInput);
    const { stdout } = await running;
    return stdout;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EACCES") throw cause;
    throw new Error(
      `User id ${user.uid} may not run ${program}. Set TMPDIR to a folder that this user can enter and run programs in.`,
      { cause },
    );
  }
}
