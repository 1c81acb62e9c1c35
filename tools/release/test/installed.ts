import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { StagedPackage } from "../src/stage.ts";
import type { Registry } from "./registry.ts";

const root = new URL("../../..", import.meta.url).pathname;
const run = promisify(execFile);

/** A package that plain npm has installed into an empty folder. */
export interface Installed {
  readonly folder: string;
  /** The README that came with it. */
  readonly readme: string;
  /** The Node.js that its package.json asks for, e.g. ">=22.15". */
  readonly node: string;
  /** What its README says to install. */
  readonly named: readonly string[];
  /** Everything that was installed, by name. */
  readonly packages: readonly string[];
  /** What the handlers of these modules say, in a process of its own, to an event that is none of Secrets Manager's. */
  answers(modules: readonly string[]): Promise<readonly string[]>;
}

/**
 * Installs each package of the registry by its README's line, in a folder of its own under `parent`, all at once. The first example of each
 * README that has a handler is there as handler.ts.
 *
 * @returns the installations by the packages' directories, e.g. `core`
 */
export async function installEach(
  parent: string,
  packages: readonly StagedPackage[],
  registry: Registry,
): Promise<Readonly<Record<string, Installed>>> {
  const all = packages.map(async (each) => {
    const directory = basename(each.folder);
    return [directory, await installed(join(parent, directory), directory, each, registry)] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

async function installed(
  folder: string,
  directory: string,
  { name, version }: StagedPackage,
  registry: Registry,
): Promise<Installed> {
  const line = /^(?: {4})?npm (install .*\bquarterturn\b.*)$/m.exec(
    await readFile(join(root, "packages", directory, "README.md"), "utf8"),
  );
  if (!line?.[1]) throw new Error(`packages/${directory}/README.md does not say how it is installed.`);
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const words = line[1].split(" ");
  // npm takes only a scope from another registry, so what has none is named by its tarball.
  const located = words.map((word) =>
    word === "quarterturn" ? `${registry.url}${name}/-/${name}-${version}.tgz` : word,
  );
  await run("npm", [...located, "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], {
    cwd: folder,
    env: { ...process.env, ...registry.installingEnv },
  });

  const modules = join(folder, "node_modules");
  const lock = JSON.parse(await readFile(join(modules, ".package-lock.json"), "utf8")) as { packages: object };
  const own = join(modules, name);
  const readme = await readFile(join(own, "README.md"), "utf8");
  const { exports, engines } = JSON.parse(await readFile(join(own, "package.json"), "utf8")) as {
    exports: object;
    engines: { node: string };
  };
  const imports = Object.keys(exports).map((path, i) => `export * as _${i} from "${name}${path.slice(1)}";`);
  await writeFile(join(folder, "exports.ts"), imports.join("\n"));
  await writeFile(join(folder, "handler.ts"), firstHandler(readme));
  return {
    folder,
    readme,
    node: engines.node,
    named: words.slice(1).filter((word) => !word.startsWith("-")),
    packages: Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)),
    async answers(modules) {
      const context = "{ awsRequestId: 'request', getRemainingTimeInMillis: () => 3000 }";
      const script = `const answers = [];
        for (const module of ${JSON.stringify(modules)})
          await (await import(module)).handler({}, ${context}).catch((error) => answers.push(String(error)));
        console.log(JSON.stringify(answers));`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder });
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as string[];
    },
  };
}

function firstHandler(readme: string): string {
  const [, example = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  return example.includes("export const handler") ? example : "export {};\n";
}

/**
 * Compiles, as a strict project of a user's, the handler of each installed package and a module that imports everything that it exports.
 *
 * @returns what the compiler says of them and of what this project publishes; what it says of others' declarations is theirs
 */
export async function complaintsOfCompiler(
  folders: readonly string[],
  moduleResolution: "nodenext" | "bundler",
): Promise<readonly string[]> {
  const [parent = ""] = folders.map((folder) => join(folder, ".."));
  const module = moduleResolution === "bundler" ? "esnext" : moduleResolution;
  const files = folders.flatMap((folder) => [join(folder, "exports.ts"), join(folder, "handler.ts")]);
  // A user who writes TypeScript for Node.js has its types.
  const types = { types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
  const compilerOptions = { strict: true, noEmit: true, target: "es2023", module, moduleResolution, ...types };
  const project = join(parent, `tsconfig.${moduleResolution}.json`);
  await writeFile(project, JSON.stringify({ compilerOptions, files }));
  const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["-p", project], { cwd: parent }).catch(
    (error: Error & { stdout: string }) => {
      if (error.stdout === "") throw error;
      return error;
    },
  );
  return stdout.split("\n").filter((line) => line !== "" && !/node_modules\/(?!@quarterturn\/)[^ ]*\(\d/.test(line));
}
