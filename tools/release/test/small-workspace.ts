import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const root = new URL("../../..", import.meta.url).pathname;
const run = promisify(execFile);

/** A clone of a workspace with one small package, @quarterturn/core 0.1.0, and this repository's release command. */
export interface SmallWorkspace {
  readonly folder: string;
  /** Its `origin`. */
  readonly origin: string;
  readonly manifest: PackageJson;
  /** @returns what git says */
  git(...words: readonly string[]): Promise<string>;
  /** Writes a file and commits it. */
  commit(path: string, content: string | object): Promise<void>;
}

interface PackageJson {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

export async function smallWorkspace(parent: string): Promise<SmallWorkspace> {
  const [folder, origin] = [join(parent, "clone"), join(parent, "origin.git")];
  await run("git", ["init", "--quiet", "--bare", origin]);
  await run("git", ["clone", "--quiet", origin, folder]);
  const git = async (...words: readonly string[]) => (await run("git", ["-C", folder, ...words])).stdout.trim();
  await git("config", "user.name", "somebody");
  await git("config", "user.email", "somebody@example.com");
  for (const path of ["LICENSE", "tools/release/src"])
    await cp(join(root, path), join(folder, path), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));

  const original = JSON.parse(await readFile(join(root, "packages/core/package.json"), "utf8")) as { name: string };
  const manifest = {
    name: original.name,
    version: "0.1.0",
    type: "module",
    license: "Apache-2.0",
    sideEffects: false,
    dependencies: {},
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
  };
  const build = `mkdir -p packages/core/dist
printf 'export const answer = 42;\\n' > packages/core/dist/index.js
printf 'export declare const answer = 42;\\n' > packages/core/dist/index.d.ts
`;
  const files: Readonly<Record<string, string | object>> = {
    ".gitignore": "node_modules\ndist/\nbuild/\n",
    "build.sh": build,
    "package.json": {
      private: true,
      type: "module",
      homepage: "https://github.com/quarterturn/quarterturn",
      scripts: { build: "sh build.sh" },
    },
    "packages/core/package.json": manifest,
    "packages/core/README.md": "# core\n",
  };
  for (const [path, content] of Object.entries(files)) await write(join(folder, path), content);
  await git("add", ".");
  await git("commit", "--quiet", "--message", "a workspace");
  return {
    folder,
    origin,
    manifest,
    git,
    async commit(path, content) {
      await write(join(folder, path), content);
      await git("add", path);
      await git("commit", "--quiet", "--message", path);
    },
  };
}

async function write(path: string, content: string | object): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
}
