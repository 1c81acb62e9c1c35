import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Installs what a folder's package-lock.json locks, once for this machine, and without the packages' own scripts. It is apart from the
 * workspace, where its programs or its scripts would be in the way.
 *
 * @returns the folder that holds the packages
 */
export async function lockedPackages(folder: string): Promise<string> {
  const lock = await readFile(join(folder, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex").slice(0, 12);
  const cache = join(tmpdir(), `quarterturn-${basename(folder)}-${digest}`);
  if (!existsSync(cache)) await install(folder, cache);
  return join(cache, "node_modules");
}

/** Installs beside the cache and renames, so that another process sees all of it or nothing. */
async function install(folder: string, cache: string): Promise<void> {
  const making = await mkdtemp(`${cache}-`);
  await cp(folder, making, { recursive: true });
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: making });
  try {
    await rename(making, cache);
  } catch (error) {
    await rm(making, { recursive: true });
    if (!existsSync(cache)) throw error;
  }
}
