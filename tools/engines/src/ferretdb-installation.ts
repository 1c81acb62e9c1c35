import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildInGoModule, OLDEST_GO } from "./go-module.ts";
import { install, installationCache, recipe } from "./installation-cache.ts";

/** A FerretDB that the server's user can run. */
export interface FerretdbInstallation {
  readonly program: string;
  /** An empty folder: a new server's data. */
  readonly template: string;
  /** For example "1.24.2". */
  readonly serverVersion: string;
}

/** The Go module that requires FerretDB, with the sums of everything that it is built from. */
const MODULE = join(import.meta.dirname, "../ferretdb");
const PACKAGE = "github.com/FerretDB/FerretDB";
/** The last release with SQLite and SCRAM-SHA-1. */
const VERSION = requiredVersion();

/**
 * The installation, from the temporary folder, where it is built when it is not there yet: 20 MB from the Go module proxy, two minutes of
 * one core. It is complete as soon as it is visible, so any number of processes may ask for it at once.
 *
 * @throws Error with the reason and the way out, where it cannot be built
 */
export async function ferretdbInstallation(): Promise<FerretdbInstallation> {
  const folder = join(await installationCache(), `ferretdb-${RECIPE}`);
  if (!existsSync(folder)) await install(folder, build);
  return { program: join(folder, PROGRAM), template: join(folder, DATA), serverVersion: VERSION };
}

const PROGRAM = "ferretdb";
const DATA = "data";

const RECIPE = recipe(import.meta.filename, join(MODULE, "go.mod"), join(MODULE, "go.sum"));

function requiredVersion(): string {
  const version = new RegExp(`${PACKAGE} v([\\d.]+)`).exec(readFileSync(join(MODULE, "go.mod"), "utf8"))?.[1];
  if (version === undefined) throw new Error(`${MODULE}/go.mod does not say which FerretDB it requires.`);
  return version;
}

async function build(folder: string): Promise<void> {
  await mkdir(join(folder, DATA));
  try {
    await buildInGoModule(MODULE, folder, async (go, source) => {
      await go("mod", "vendor");
      // A file that its own build makes; without it the program ends at once.
      await writeFile(join(source, "vendor", PACKAGE, "build/version/version.txt"), `v${VERSION}`);
      await go(
        ...["build", "-mod=vendor", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"],
        ...["-tags=ferretdb_no_postgresql", "-o", join(folder, PROGRAM), `${PACKAGE}/cmd/ferretdb`],
      );
    });
  } catch (cause) {
    throw new Error(
      `FerretDB, the server for MongoDB's protocol, cannot be built: ${(cause as Error).message}. It takes Go ${OLDEST_GO} or later, and its modules ` +
        "from the Go module proxy. Set MONGODB_URL to a server's URL, or do without it (ENGINES=postgres npm test; npm run demo takes PostgreSQL).",
      { cause },
    );
  }
  await chmod(join(folder, PROGRAM), 0o755);
}
