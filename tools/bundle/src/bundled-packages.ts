import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JavaScript } from "./javascript.ts";
import { workspace } from "./lambda-functions.ts";

/** A package of which something is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  /** As installed. */
  readonly version: string;
  /** What its package.json says, which should be an SPDX identifier. */
  readonly license: string;
  readonly folder: string;
  /** Of this repository. */
  readonly isOwn: boolean;
  /** The folders of the others that it imports. */
  readonly imports: readonly string[];
}

export interface BundledPackages {
  /** By name and version. */
  readonly packages: readonly BundledPackage[];
  /** The folders of those that the bundle's entry imports: first the one whose handler it is. */
  readonly entryImports: readonly string[];
}

export async function bundledPackages({ inputs }: Pick<JavaScript, "inputs">): Promise<BundledPackages> {
  const importsOf = new Map<string, Set<string>>();
  const folders = new Set<string>();
  for (const [input, { bytes, imports }] of inputs) {
    const folder = input === entry ? entry : packageFolder(input);
    importsOf.set(folder, new Set([...(importsOf.get(folder) ?? []), ...imports.map(packageFolder)]));
    if (bytes > 0 && folder !== entry) folders.add(folder);
  }

  /** A package that only passes on what others export leaves nothing of itself, and leads to them all the same. */
  function bundledImports(folder: string): string[] {
    const seen = new Set(importsOf.get(folder));
    for (const each of seen) if (!folders.has(each)) for (const next of importsOf.get(each) ?? []) seen.add(next);
    return [...seen].filter((each) => folders.has(each) && each !== folder);
  }

  const packages = await Promise.all([...folders].map((folder) => read(folder, bundledImports(folder))));
  const order = ({ name, version }: BundledPackage) => `${name} ${version}`;
  return {
    packages: packages.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
    entryImports: bundledImports(entry),
  };
}

const entry = "<stdin>";

/** Of `node_modules/@aws-sdk/core/dist-es/x.js` it is node_modules/@aws-sdk/core, whatever package.json lies in between. */
function packageFolder(input: string): string {
  const installed = /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
  if (installed !== undefined) return installed;
  let folder = dirname(input);
  while (folder !== dirname(folder) && !existsSync(join(workspace, folder, "package.json"))) folder = dirname(folder);
  return folder;
}

async function read(folder: string, imports: readonly string[]): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(
    await readFile(join(workspace, folder, "package.json"), "utf8"),
  ) as Partial<Record<string, string>>;
  if (name === undefined || version === undefined) throw new Error(`${folder}/package.json has no name or no version.`);
  return {
    name,
    version,
    license: license ?? "",
    folder,
    isOwn: !folder.includes("node_modules/"),
    imports,
  };
}
