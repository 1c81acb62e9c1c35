import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

/**
 * The folder of this user's installations, made if need be. A temporary folder's cleaner removes single files that nobody has used for
 * some time (systemd's: 10 days), which would leave half an installation: so each week has its own, and old ones go.
 *
 * @throws Error if somebody else could have put programs into it
 */
export async function installationCache(): Promise<string> {
  const week = Math.floor(Date.now() / WEEK_MS);
  const owner = process.getuid?.();
  const prefix = `quarterturn-engines-${owner}-week-`;
  const folder = join(tmpdir(), `${prefix}${week}`);
  if (!existsSync(folder)) await removeCachesBefore(week - 1, prefix);
  const created = await mkdir(folder, { recursive: true });
  if (created !== undefined) await chmod(folder, 0o755);
  const { uid, mode } = await lstat(folder);
  if (uid !== owner || (mode & 0o022) !== 0) {
    throw new Error(
      `${folder} belongs to another user or can be written by one: programs in it cannot be trusted. Remove it.`,
    );
  }
  return folder;
}

/** A few characters for an installation's name: whoever changes one of these files does not meet what their former selves have made. */
export function recipe(...files: readonly string[]): string {
  return files
    .reduce((hash, file) => hash.update(readFileSync(file)), createHash("sha256"))
    .digest("hex")
    .slice(0, 8);
}

/**
 * Builds an installation beside its place and moves it there whole, so any number of processes may do it at once.
 *
 * @param destination a path in the cache's folder
 * @param build fills a folder that everybody can enter
 */
export async function install(destination: string, build: (folder: string) => Promise<void>): Promise<void> {
  const building = await mkdtemp(join(dirname(destination), "building-"));
  try {
    await chmod(building, 0o755);
    await build(building);
    await rename(building, destination);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Another process was faster: its installation is as good.
    if (!existsSync(destination)) throw error;
  }
}

/**
 * Installs what a folder's package-lock.json locks into the cache, without the packages' own scripts. It is apart from the workspace, where
 * its programs or its scripts would be in the way.
 *
 * @param folder has the package.json and the lock; its name becomes a part of the installation's
 * @returns the folder that has `node_modules`
 * @throws Error with npm's words where it cannot install them
 */
export async function npmInstallation(folder: string): Promise<string> {
  const lock = join(folder, "package-lock.json");
  const installation = join(await installationCache(), `${basename(folder)}-${recipe(lock)}`);
  if (!existsSync(installation)) {
    await install(installation, async (building) => {
      await copyFile(join(folder, "package.json"), join(building, "package.json"));
      await copyFile(lock, join(building, "package-lock.json"));
      await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: building });
    });
  }
  return installation;
}

/**
 * Installs the Python packages that a requirements.txt pins into an environment of their own in the cache.
 *
 * @param name becomes a part of the installation's
 * @returns the environment's folder, which has `bin`
 * @throws Error where there is no python3 with its venv module, or pip cannot install them
 */
export async function pythonInstallation(name: string, requirements: string): Promise<string> {
  const installation = join(await installationCache(), `${name}-${recipe(requirements)}`);
  if (existsSync(installation)) return installation;
  // Its programs know where they were installed, so it cannot be moved when it is complete: then a link to it appears.
  const folder = await mkdtemp(`${installation}-`);
  const run = promisify(execFile);
  try {
    await run("python3", ["-m", "venv", folder]).catch((error: Error) => {
      throw new Error(`${name} needs python3 with its venv module: ${error.message}`);
    });
    const words = ["install", "--quiet", "--disable-pip-version-check", "-r", requirements];
    await run(join(folder, "bin/pip"), words, { maxBuffer: 16 * 1024 * 1024 });
    await symlink(folder, installation);
  } catch (error) {
    await rm(folder, { recursive: true });
    // Another process was faster.
    if (!existsSync(installation)) throw error;
  }
  return installation;
}

const WEEK_MS = 7 * 24 * 3_600_000;

async function removeCachesBefore(week: number, prefix: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < week) {
      await rm(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}
