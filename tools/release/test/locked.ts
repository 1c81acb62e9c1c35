import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const root = new URL("../../..", import.meta.url).pathname;

interface Entry {
  /** Where it really is, of a package of this workspace. */
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * What an installation brings in the versions of this repository's lockfile, so that nobody else's release changes the figures.
 *
 * @param names the packages that are installed
 * @param staged the folder with this workspace's packages as they are published, each under its directory's name
 */
export async function lockedSize(
  names: readonly string[],
  staged: string,
): Promise<{ packages: number; megabytes: number }> {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, Entry>>;
  };
  const found = new Set<string>();
  const add = (name: string, from: string) => {
    const path = placesOf(name, from).find((each) => each in lock.packages);
    if (path === undefined) return;
    const entry = lock.packages[path] ?? {};
    const place = entry.link && entry.resolved ? entry.resolved : path;
    // What is for other platforms is in the lockfile, too.
    if (found.has(place) || !existsSync(join(root, place))) return;
    found.add(place);
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = lock.packages[place] ?? {};
    const peers = Object.keys(peerDependencies ?? {}).filter((peer) => !peerDependenciesMeta?.[peer]?.optional);
    for (const each of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) add(each, place);
  };
  for (const name of names) add(name, "");
  const sizes = await Promise.all(
    [...found].map((place) =>
      sizeOf(/^packages\/[^/]+$/.test(place) ? place.replace("packages", staged) : join(root, place)),
    ),
  );
  return { packages: found.size, megabytes: sizes.reduce((sum, size) => sum + size, 0) / 1_000_000 };
}

/** Where Node looks for a package, from a package's folder up to the root. */
function placesOf(name: string, from: string): readonly string[] {
  const above = from.lastIndexOf("/");
  const place = join(from, "node_modules", name);
  return from === "" ? [place] : [place, ...placesOf(name, above < 0 ? "" : from.slice(0, above))];
}

/** In bytes, without packages that lie in it. */
async function sizeOf(folder: string): Promise<number> {
  const sizes = (await readdir(folder, { withFileTypes: true })).map(async (each) => {
    const path = join(folder, each.name);
    if (each.isDirectory()) return each.name === "node_modules" ? 0 : sizeOf(path);
    return (await stat(path)).size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
