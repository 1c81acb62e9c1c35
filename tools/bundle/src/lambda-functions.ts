import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { RotatorManifest } from "@quarterturn/core";

export const workspace = fileURLToPath(new URL("../../..", import.meta.url));

/** A handler of a rotator package, which becomes one Lambda function. */
export interface LambdaFunction {
  /** e.g. `rds-postgres-single-user` */
  readonly name: string;
  /** The name that secrets give the engine, e.g. `postgres`. */
  readonly engine: string;
  /** The handler's subpath, e.g. `single-user`. */
  readonly strategy: string;
  /** The package's folder, from the repository's root. */
  readonly packageFolder: string;
  /** The source file that exports `handler`. */
  readonly entry: string;
}

/** Without a service @quarterturn/template has no handlers: the template's functions are those of its example, a whole rotator. */
const templateExample = join(workspace, "packages/template/examples/key-service");

/**
 * Every handler of the rotators among packages: one that exports `./manifest` is one, and its other subpaths are its handlers.
 *
 * @param folders the packages' folders; default: all of this repository's, and the template's example as `template`
 */
export async function lambdaFunctions(folders?: readonly string[]): Promise<LambdaFunction[]> {
  const functions = (folders ?? (await packages())).map((folder) => functionsOf(folder));
  if (folders === undefined) functions.push(functionsOf(templateExample, "template"));
  return (await Promise.all(functions)).flat();
}

async function packages(): Promise<string[]> {
  const folder = join(workspace, "packages");
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

async function functionsOf(folder: string, name?: string): Promise<LambdaFunction[]> {
  const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageJson;
  const { ".": _library, "./manifest": manifestExport, ...handlers } = exports;
  if (manifestExport === undefined) return [];
  const source = ({ "@quarterturn/source": path }: Export) => join(folder, path);
  const { manifest } = (await import(pathToFileURL(source(manifestExport)).href)) as { manifest: RotatorManifest };
  return Object.entries(handlers).map(([subpath, handler]) => {
    const strategy = subpath.slice("./".length);
    return {
      name: `${name ?? manifest.name}-${strategy}`,
      engine: manifest.engines[0] ?? manifest.name,
      strategy,
      packageFolder: relative(workspace, folder),
      entry: source(handler),
    };
  });
}

type Export = Readonly<Record<"@quarterturn/source", string>>;

interface PackageJson {
  readonly exports: Readonly<Record<string, Export>>;
}
