import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const root = new URL("../../..", import.meta.url).pathname;

/** A package as it is published: a folder that holds nothing but what its tarball holds. */
export interface StagedPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** The other staged packages that it depends on, by name. */
  readonly dependencies: readonly string[];
}

/**
 * Copies each built public package to a folder: dist, README, LICENSE, CHANGELOG, and a package.json without what is of use only in this
 * repository (the condition that leads to sources, development dependencies, scripts), and with where the package comes from. Idempotent;
 * `npm run build` comes first.
 *
 * @param staged the folder, build/npm if absent; what was in it goes
 * @returns the packages, each after those that it depends on
 */
export async function stagePackages(staged = join(root, "build/npm")): Promise<readonly StagedPackage[]> {
  await rm(staged, { recursive: true, force: true });
  const folders = await readdir(join(root, "packages"));
  const packages = await Promise.all(folders.map((folder) => stagePackage(folder, join(staged, folder))));
  return inOrder(packages.filter((each) => each !== undefined));
}

async function stagePackage(directory: string, folder: string): Promise<StagedPackage | undefined> {
  const source = join(root, "packages", directory);
  const {
    private: isPrivate,
    scripts: _scripts,
    devDependencies: _development,
    exports,
    ...manifest
  } = await packageJson(source);
  if (isPrivate) return undefined;
  const { homepage = "" } = await packageJson(root);
  await mkdir(folder, { recursive: true });
  await cp(join(source, "dist"), join(folder, "dist"), { recursive: true });
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
  if ((await readdir(source)).includes("CHANGELOG.md"))
    await cp(join(source, "CHANGELOG.md"), join(folder, "CHANGELOG.md"));
  const readme = await readFile(join(source, "README.md"), "utf8");
  const page = `${homepage}/blob/v${manifest.version}/packages/${directory}/`;
  await writeFile(join(folder, "README.md"), publishedReadme(readme, page));
  const published = {
    ...manifest,
    // npm adds README, LICENSE and package.json by itself.
    files: ["dist", "CHANGELOG.md"],
    exports: withoutSource(exports),
    homepage: `${homepage}/tree/main/packages/${directory}`,
    bugs: `${homepage}/issues`,
    // Provenance is refused where this is not the repository whose workflow publishes.
    repository: { type: "git", url: `git+${homepage}.git`, directory: `packages/${directory}` },
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  return { name: manifest.name, version: manifest.version, folder, dependencies: Object.keys(manifest.dependencies) };
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly homepage?: string;
  readonly scripts?: object;
  readonly devDependencies?: object;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

async function packageJson(folder: string): Promise<PackageJson> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}

/** With links that work outside of the repository; examples stay as they are. */
function publishedReadme(readme: string, page: string): string {
  return readme
    .split(/^(```[\s\S]*?^```$)/m)
    .map((part) =>
      part.startsWith("```")
        ? part
        : part.replace(/\]\((?!https?:|#)([^)\s]+)\)/g, (_, path: string) => `](${new URL(path, page)})`),
    )
    .join("");
}

function withoutSource(exports: PackageJson["exports"]): unknown {
  return Object.fromEntries(
    Object.entries(exports).map(([path, conditions]) => [
      path,
      Object.fromEntries(Object.entries(conditions).filter(([condition]) => condition !== "@quarterturn/source")),
    ]),
  );
}

function inOrder(packages: readonly StagedPackage[]): readonly StagedPackage[] {
  const ordered = new Set<StagedPackage>();
  const add = (each: StagedPackage) => {
    for (const other of packages) if (each.dependencies.includes(other.name)) add(other);
    ordered.add(each);
  };
  for (const each of packages) add(each);
  return [...ordered];
}
