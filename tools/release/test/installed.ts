import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const root = new URL("../../..", import.meta.url).pathname;
const run = promisify(execFile);

/** A package that plain npm has installed into an empty folder. */
export interface Installed {
  readonly folder: string;
  /** The README that came with it. */
  readonly readme: string;
  /** Everything that was installed, by name. */
  readonly packages: readonly string[];
  readonly megabytes: number;
  /** Compiles the README's first example to handler.js, as a strict project of a user's, with both ways of resolution. @throws Error with the compiler's words */
  compileHandler(): Promise<void>;
  /** What the handlers of these modules say, in a process of its own, to an event that is none of Secrets Manager's. */
  answers(modules: readonly string[]): Promise<readonly string[]>;
}

/** Installs each package of the registry by its README's line, in a folder of its own under `parent`, all at once. */
export async function installEach<Name extends string>(
  parent: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, Installed>>> {
  const all = await Promise.all(names.map(async (name) => [name, await installed(join(parent, name), name)] as const));
  return Object.fromEntries(all) as Record<Name, Installed>;
}

async function installed(folder: string, name: string): Promise<Installed> {
  const line = /^(?: {4})?npm (install .*@quarterturn.*)$/m.exec(
    await readFile(join(root, "packages", name, "README.md"), "utf8"),
  );
  if (!line?.[1]) throw new Error(`packages/${name}/README.md does not say how it is installed.`);
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const words = [...line[1].split(" "), "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", words, { cwd: folder });

  const modules = join(folder, "node_modules");
  const lock = JSON.parse(await readFile(join(modules, ".package-lock.json"), "utf8")) as { packages: object };
  const files = (await readdir(modules, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  const readme = await readFile(join(modules, "@quarterturn", name, "README.md"), "utf8");
  return {
    folder,
    readme,
    packages: Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)),
    megabytes: sizes.reduce((sum, size) => sum + size, 0) / 1_000_000,
    async compileHandler() {
      await writeFile(join(folder, "handler.ts"), /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? "");
      for (const [module, moduleResolution] of [
        ["esnext", "bundler"],
        ["nodenext", "nodenext"],
      ]) {
        const options = { strict: true, target: "es2023", module, moduleResolution, types: ["node"], typeRoots };
        const project = { compilerOptions: { ...options, skipLibCheck: true }, files: ["handler.ts"] };
        await writeFile(join(folder, "tsconfig.json"), JSON.stringify(project));
        await run(join(root, "node_modules/.bin/tsc"), ["-p", folder]).catch((error: { stdout: string }) => {
          throw new Error(`${name}, ${moduleResolution}: ${error.stdout}`);
        });
      }
    },
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

/** A user who writes TypeScript for Node.js has its types. */
const typeRoots = [join(root, "node_modules/@types")];
