import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const root = new URL("../../..", import.meta.url).pathname;

/** A package as it is published: a folder that holds nothing but what its tarball holds. */
export interface StagedPackage {
  readonly name: string;
  readonly folder: string;
}

/**
 * Copies each built public package to build/npm/NAME: dist, README, LICENSE, CHANGELOG, and a package.json without what is of use only in
 * this repository (the condition that leads to sources, development dependencies, scripts). Idempotent; `npm run build` comes first.
 */
export async function stagePackages(): Promise<readonly StagedPackage[]> {
  const staged = join(root, "build/npm");
  await rm(staged, { recursive: true, force: true });
  const folders = await readdir(join(root, "packages"));
  const packages = await Promise.all(
    folders.map((folder) => stagePackage(join(root, "packages", folder), join(staged, folder))),
  );
  return packages.filter((each) => each !== undefined);
}

async function stagePackage(source: string, folder: string): Promise<StagedPackage | undefined> {
  const {
    private: isPrivate,
    scripts: _scripts,
    devDependencies: _development,
    ...manifest
  } = JSON.parse(await readFile(join(source, "package.json"), "utf8"));
  if (isPrivate) return undefined;
  await mkdir(folder, { recursive: true });
  await cp(join(source, "dist"), join(folder, "dist"), { recursive: true });
  await cp(join(source, "README.md"), join(folder, "README.md"));
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  if ((await readdir(source)).includes("CHANGELOG.md"))
    await cp(join(source, "CHANGELOG.md"), join(folder, "CHANGELOG.md"));
  const published = {
    ...manifest,
    exports: withoutSource(manifest.exports),
    repository: { type: "git", directory: `packages/${folder.split("/").at(-1)}` },
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  return { name: manifest.name, folder };
}

function withoutSource(exports: Record<string, Record<string, string>>): unknown {
  return Object.fromEntries(
    Object.entries(exports).map(([path, conditions]) => [
      path,
      Object.fromEntries(Object.entries(conditions).filter(([condition]) => condition !== "@quarterturn/source")),
    ]),
  );
}
