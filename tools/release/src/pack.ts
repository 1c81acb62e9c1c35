import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { StagedPackage } from "./stage.ts";

const buildFolder = new URL("../../../build/packed", import.meta.url).pathname;

/** A package's tarball. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** The file, a path. */
  readonly tarball: string;
}

interface Packed {
  /** What they were built from; null where it was more than a commit. */
  readonly commit: string | null;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly file: string }[];
}

/**
 * Packs the packages into a folder, build/packed if absent, and beside them what {@link packedPackages} reads. Idempotent.
 *
 * @param commit what they were built from
 */
export async function packPackages(
  packages: readonly StagedPackage[],
  commit: string | undefined,
  folder = buildFolder,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const words = ["pack", ...packages.map((each) => each.folder), "--pack-destination", folder, "--json"];
  const { stdout } = await promisify(execFile)("npm", ["--loglevel=error", ...words]);
  const files = JSON.parse(stdout) as readonly { name: string; version: string; filename: string }[];
  const packed: Packed = {
    commit: commit ?? null,
    packages: files.map(({ name, version, filename: file }) => ({ name, version, file })),
  };
  await writeFile(join(folder, "packages.json"), `${JSON.stringify(packed, null, 2)}\n`);
}

/**
 * @param commit what is published must be built from it; undefined: whatever it was built from
 * @returns what was packed last, in that order
 * @throws Error where nothing was packed, or something else
 */
export async function packedPackages(
  commit: string | undefined,
  folder = buildFolder,
): Promise<readonly PackedPackage[]> {
  const text = await readFile(join(folder, "packages.json"), "utf8").catch((cause: unknown) => {
    throw new Error("Nothing is packed: npm run release -- --dry-run packs.", { cause });
  });
  const packed = JSON.parse(text) as Packed;
  if (commit !== undefined && packed.commit !== commit)
    throw new Error(
      `What is packed is of ${packed.commit === null ? "changes that were not committed" : `commit ${packed.commit}`}, and this is ${commit}: npm run release -- --dry-run packs it.`,
    );
  return packed.packages.map(({ file, ...each }) => ({ ...each, tarball: join(folder, file) }));
}
