import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DebianPackage, unpackDebianPackage } from "./debian-package.ts";
import { install, installationCache, recipe } from "./installation-cache.ts";
import type { MysqlProduct } from "./mysql-product.ts";
import { runAsServer, serverUser } from "./server-user.ts";

/** A MySQL or MariaDB that the server's user can run, and a data folder of its own to copy. */
export interface MysqlInstallation {
  /** The server program and the options that it always needs. */
  readonly command: readonly string[];
  /** An initialised data folder: copy it, never run a server on it. */
  readonly template: string;
  /** What the server calls itself, for example "9.7.4". */
  readonly serverVersion: string;
  /** A user with all rights, from everywhere, on a server that runs on a copy of the template. */
  readonly admin: { readonly username: string; readonly password: string };
}

/**
 * The installation of a product's release (the one that its variable in the environment asks for), from the temporary folder, where it is made when it is not there yet (about 20 s and 60 MB to fetch). It is
 * complete as soon as it is visible, so any number of processes may ask for it at once.
 *
 * @throws Error with the reason and the way out, where there is no such release, or where its packages cannot be had
 */
export async function mysqlInstallation(product: MysqlProduct): Promise<MysqlInstallation> {
  const [newest = ""] = Object.keys(product.releases);
  const release = process.env[product.versionVariable] || newest;
  const packages = product.releases[release];
  if (packages === undefined) {
    const known = Object.keys(product.releases).join(", ");
    throw new Error(`${product.versionVariable} asks for ${product.title} ${release}. There are: ${known}.`);
  }
  const folder = join(await installationCache(), `${product.name}-${release}-${RECIPE}`);
  if (!existsSync(folder)) await install(folder, (building) => build(product, packages, building));
  const description = JSON.parse(await readFile(join(folder, DESCRIPTION), "utf8")) as Description;
  return { ...description, command: serverCommand(product, join(folder, ROOT)), template: join(folder, DATA) };
}

type Description = Pick<MysqlInstallation, "serverVersion" | "admin">;
const DESCRIPTION = "description.json";
const ROOT = "root";
const DATA = "data";

const RECIPE = recipe(
  ...["mysql-installation.ts", "mysql-product.ts", "debian-package.ts"].map((file) => join(import.meta.dirname, file)),
);

/** Where distributions have them in their packages. */
const LINKERS = ["usr/lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"];
const LIBRARIES = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/mysql/private"];

/** With the packages' own dynamic linker, since this machine's C library may be older than they need. */
function serverCommand({ program, options }: MysqlProduct, root: string): string[] {
  return [
    LINKERS.map((linker) => join(root, linker)).find(existsSync) ?? "",
    "--library-path",
    LIBRARIES.map((folder) => join(root, folder)).join(":"),
    join(root, program),
    "--no-defaults",
    `--basedir=${join(root, "usr")}`,
    ...options(root),
    // Nothing here has to survive a crash, or to serve many.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=OFF",
    "--innodb-buffer-pool-size=24M",
    "--skip-log-bin",
  ];
}

async function build(product: MysqlProduct, packages: DebianPackage, folder: string): Promise<void> {
  const root = join(folder, ROOT);
  try {
    await unpackDebianPackage(packages, root);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${product.title} cannot be started: ${reason}. Set ${product.urlVariable} to a server's URL, or do without it (ENGINES=postgres npm test; npm run demo takes PostgreSQL).`,
      { cause },
    );
  }
  await initialise(product, folder);
}

async function initialise(product: MysqlProduct, folder: string): Promise<void> {
  // Not a constant: any user of the machine can reach the port.
  const admin = { username: "admin", password: randomBytes(16).toString("hex") };
  const user = serverUser();
  const data = join(folder, DATA);
  const initFile = join(folder, "init.sql");
  await mkdir(data, { mode: 0o700 });
  await writeFile(initFile, adminOnly(admin), { mode: 0o600 });
  for (const path of [data, initFile]) await chown(path, user.uid, user.gid);
  const [program = "", ...always] = serverCommand(product, join(folder, ROOT));
  const { options, input } = await product.initialise(join(folder, ROOT), initFile);
  await runAsServer(program, [...always, `--datadir=${data}`, ...options], input);
  await rm(initFile);
  const version = await runAsServer(program, [...always, "--version"]);
  const description: Description = { serverVersion: /Ver (\d[\d.]*)/.exec(version)?.[1] ?? version, admin };
  await writeFile(join(folder, DESCRIPTION), JSON.stringify(description), { mode: 0o600 });
}

/** One statement a line, which is what both products read. */
function adminOnly({ username, password }: MysqlInstallation["admin"]): string {
  return [
    "FLUSH PRIVILEGES;",
    `CREATE USER '${username}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO '${username}'@'%' WITH GRANT OPTION;`,
    "DROP USER IF EXISTS 'root'@'localhost';",
    "",
  ].join("\n");
}
