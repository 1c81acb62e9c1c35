import { execFile } from "node:child_process";
import { chmod, cp, glob, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import { runAwsLines } from "@quarterturn-tools/sam/aws-cli";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandsOf, pages, snippetsOf } from "../src/pages.ts";

/** Pages whose commands another test runs, as they stand there. */
const runElsewhere = [
  "docs/writing-a-rotator.md", // tools/new-rotator/src/writing-a-rotator.test.ts
];
/** Pages of two kinds, of each of which one is enough here: tools/sam/test/judges.test.ts looks at the line in which they differ. */
const alike = /^sam-templates\/(?!rds-postgres-multi-user\/|template-single-user\/)/;

/** The CLI looks whether an archive is one: this is the end of its directory, which is all that an empty one has. */
const emptyZip = "PK\x05\x06".padEnd(22, "\0");

let scratch: string;
let programs: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "quarterturn-docs-"));
  programs = join(scratch, "programs");
  await mkdir(programs);
  // git and npm write down how they are called, and npm's programs too, but for the bundler; the AWS CLI is the real one.
  const bundle = `[ "$1" != esbuild ] || { shift; exec '${workspace}/node_modules/.bin/esbuild' --conditions=@quarterturn/source "$@"; }`;
  for (const name of ["git", "npm", "npx", "node"]) {
    const lines = ["#!/bin/sh", `echo "${name} $*" >> calls`, ...(name === "npx" ? [bundle] : [])];
    await writeFile(join(programs, name), `${lines.join("\n")}\n`);
    await chmod(join(programs, name), 0o755);
  }
  // A clone in which `npm run bundle` has run, for a rotator of the reader's own, too.
  await mkdir(join(scratch, "clone"));
  await symlink(join(workspace, "node_modules"), join(scratch, "clone/node_modules"));
  await cp(join(workspace, "sam-templates"), join(scratch, "clone/sam-templates"), { recursive: true });
  await cp(join(workspace, "LICENSE"), join(scratch, "clone/LICENSE"));
  for (const { name } of [...(await lambdaFunctions()), { name: "NAME-single-user" }]) {
    const archive = join(scratch, `clone/build/lambda/${name}.zip`);
    await mkdir(dirname(archive), { recursive: true });
    await writeFile(archive, emptyZip);
  }
}, 240_000);
afterAll(() => rm(scratch, { recursive: true }));

interface PackageJson {
  readonly name: string;
  readonly scripts?: object;
  readonly bin?: object;
}
const packages: PackageJson[] = [];
for await (const path of glob("{package,packages/*/package,packages/*/examples/*/package}.json", { cwd: workspace }))
  packages.push(JSON.parse(await readFile(join(workspace, path), "utf8")));
const packageNames = new Set(packages.map(({ name }) => name));
const scripts = new Set(Object.keys(packages.find(({ name }) => name === "quarterturn-monorepo")?.scripts ?? {}));
const programsOfPackages = new Set([
  "vitest",
  "changeset",
  "esbuild",
  ...packages.flatMap(({ bin = {} }) => Object.keys(bin)),
]);

const all = await pages();
const blocks = all
  .filter(({ path }) => !runElsewhere.includes(path) && !alike.test(path))
  .flatMap((page) => commandsOf(page));
/** A page may name a file that another shows. */
const files = all.flatMap(snippetsOf).filter(({ file }) => file !== undefined);

describe.concurrent("every command is one that its program takes", { timeout: 300_000 }, () => {
  test.each(blocks)("$page:$line", async ({ page, line, code }) => {
    const folder = join(scratch, `${page.replaceAll("/", "-")}-${line}`);
    await cp(join(scratch, "clone"), folder, { recursive: true });
    for (const { file = "", code } of files) await writeFile(join(folder, file), code);
    await writeFile(join(folder, "calls"), "");
    await runAwsLines(code, { folder, programs });
    const ran = (await readFile(join(folder, "calls"), "utf8")).split("\n").filter((call) => call !== "");
    for (const call of ran) expect(await wrongIn(call), call).toBeUndefined();
    expect(ran.length > 0 || /(^|\s)aws /.test(code) || /^[A-Z_]+=/.test(code)).toBe(true);
  });
});

test("every npm script that a page names is there, and its --help names the options that a page gives it", async () => {
  const named = new Map<string, Set<string>>();
  for (const [, name = "", given = ""] of all.flatMap(({ text }) => [
    ...text.matchAll(/npm run ([\w:-]+)( -- [^`\n]*)?/g),
  ])) {
    const options = named.get(name) ?? new Set();
    for (const [option] of given.matchAll(/--\w[\w-]*/g)) options.add(option);
    named.set(name, options);
  }
  expect([...named.keys()].filter((name) => !scripts.has(name))).toEqual([]);
  const withOptions = [...named].filter(([, options]) => options.size > 0);
  expect(withOptions.length).toBeGreaterThan(1);
  await Promise.all(
    withOptions.map(async ([name, options]) => {
      const { stdout } = await promisify(execFile)("npm", ["run", name, "--", "--help"], { cwd: workspace });
      for (const option of options) expect(stdout, name).toContain(option);
    }),
  );
});

test("there are commands to judge, and a file that they name is one", () => {
  expect(blocks.length).toBeGreaterThan(20);
  const names = files.map(({ file }) => file);
  expect(names).toEqual([...new Set(names)]);
});

/** What is wrong with a call of git, npm, npx or node, as far as the repository can tell. */
async function wrongIn(call: string): Promise<string | undefined> {
  const [program, command = "", ...words] = call.split(" ");
  if (program === "git") return command === "pull" ? undefined : `git ${command} is not known to this test`;
  if (program === "node") return "is not judged: make it an npm script";
  if (program === "npx")
    return programsOfPackages.has(command) ? undefined : `no package here has a program ${command}`;
  if (command === "run") return scripts.has(words[0] ?? "") ? undefined : `there is no script ${words[0]}`;
  if (command === "test" || command === "ci") return;
  if (command !== "install") return `npm ${command} is not known to this test`;
  const unknown = words.filter((word) => /^@quarterturn\b/.test(word) && !packageNames.has(word));
  return unknown.length === 0 ? undefined : `there is no package ${unknown}`;
}
