import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const workspace = fileURLToPath(new URL("../../..", import.meta.url));

/** A whole rotator package, tested where it stands; what is made of it is the same under another name. */
const example = join(workspace, "packages/template/examples/key-service");

/**
 * Makes the folder of a new rotator package.
 *
 * @param name the package's name without its scope, in kebab-case
 * @param packages the folder to make it in
 * @param source the folder to copy: of it what git has
 * @returns the files that were written
 * @throws Error where the name is none, or the folder exists
 */
export async function newRotator(name: string, packages: string, source = example): Promise<readonly string[]> {
  // With a longer one some lines of the copy would have to be broken.
  if (!/^(?=.{1,25}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(
      `"${name}" is no name for a package: small letters and digits, words joined by "-", 25 characters at most`,
    );
  }
  const { stdout } = await promisify(execFile)("git", ["ls-files", "-z"], { cwd: source });
  const paths = stdout.split("\0").filter((path) => path !== "");
  const folder = join(packages, name);
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EEXIST" ? new Error(`${folder} exists: choose another name, or remove it first`) : error;
  });
  return Promise.all(
    paths.map(async (path) => {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, renamed(marked(path, await readFile(join(source, path), "utf8")), name));
      return file;
    }),
  );
}

function renamed(text: string, name: string): string {
  const words = name.split("-");
  const capitalised = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return text
    .replaceAll("key-service", name)
    .replaceAll("KEY_SERVICE", words.join("_").toUpperCase())
    .replaceAll("keyService", [words[0], ...capitalised.slice(1)].join(""))
    .replaceAll("Key Service", capitalised.join(" "));
}

/** What the example says of itself, and a new rotator must say of its own service: after which line it is marked, and with what. */
const todos: Readonly<Record<string, readonly (readonly [after: RegExp, mark: string])[]>> = {
  "README.md": [
    [
      /^# .*\n/,
      "\nTODO: write this page for your service. It describes the example that the package was made of; its tables come from\nsrc/manifest.ts.\n",
    ],
  ],
  "src/manifest.ts": [
    [
      /export const manifest.*\n/,
      "  // TODO: the product's name for people, and what your secrets have as `engine`.\n",
    ],
    [/\n {2}settings: \[\n/, "    // TODO: your own, and those of the strategy that you keep.\n"],
    [/\n {2}\],\n(?= {2}verifiedAgainst)/, "  // TODO: what your tests run against.\n"],
  ],
};

function marked(path: string, text: string): string {
  return (todos[path] ?? []).reduce((whole, [after, mark]) => whole.replace(after, (line) => line + mark), text);
}
