import { execFile } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export const OLDEST_GO = "1.24";

/**
 * Builds from a Go module, which requires a program and has the sums of all that it is built from. Of what Go fetches and keeps, nothing
 * stays on the machine.
 *
 * @param module the module's folder
 * @param folder where to build; keeps what `build` writes to it
 * @param build is given Go's command, run in a copy of the module, and that copy's folder
 * @throws Error where there is no Go, or the build fails
 */
export async function buildInGoModule(
  module: string,
  folder: string,
  build: (go: (...words: readonly string[]) => Promise<void>, source: string) => Promise<void>,
): Promise<void> {
  const source = join(folder, "source");
  const kept = join(folder, "go");
  const env = {
    ...process.env,
    GOPATH: kept,
    GOMODCACHE: join(kept, "mod"),
    GOCACHE: join(kept, "cache"),
    GOFLAGS: "-modcacherw",
    // No other Go is fetched.
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
  await cp(module, source, { recursive: true });
  try {
    await build(async (...words) => {
      await promisify(execFile)("go", words, { cwd: source, env, maxBuffer: 10_000_000 });
    }, source);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new Error(isMissing ? "there is no go on this machine's PATH" : String((cause as Error).message), { cause });
  }
  await Promise.all([source, kept].map((path) => rm(path, { recursive: true, force: true })));
}
