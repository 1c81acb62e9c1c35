import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { actionlint } from "./actionlint.ts";
import { smallWorkspace } from "./small-workspace.ts";

const folder = new URL("../../../.github/workflows", import.meta.url).pathname;
const workflows = (await readdir(folder)).map((name) => join(folder, name));

// The first time it is built.
const timeout = 300_000;

test("actionlint finds nothing in the workflows, and finds what is wrong", { timeout }, async () => {
  expect(workflows.map((path) => basename(path))).toEqual(["ci.yml", "release.yml"]);
  expect(await actionlint(workflows)).toEqual([]);

  const copies = await mkdtemp(join(tmpdir(), "workflows-"));
  const release = await readFile(join(folder, "release.yml"), "utf8");
  await writeFile(join(copies, "release.yml"), release.replace("needs: [ci, packages]", "needs: [ci, packets]"));
  try {
    expect((await actionlint([join(copies, "release.yml")])).join()).toContain('"packets"');
  } finally {
    await rm(copies, { recursive: true });
  }
});

test("every action is pinned to a commit, since a tag can be moved, and the version is beside it", async () => {
  for (const path of workflows) {
    const uses = [...(await readFile(path, "utf8")).matchAll(/uses: (.+)/g)].map(([, action = ""]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses)
      expect(action, path).toMatch(/^(\.\/\.github\/workflows\/[\w-]+\.yml|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
  }
});

test("the scripts that the workflows run are there", async () => {
  const { scripts } = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8")) as {
    scripts: Readonly<Record<string, string>>;
  };
  for (const path of workflows) {
    for (const [, script = ""] of (await readFile(path, "utf8")).matchAll(/npm run ([\w:]+)/g))
      expect(Object.keys(scripts), path).toContain(script);
  }
});

test("no install script and no build runs where a job can vouch for itself or push, and a checkout keeps its token only to push", async () => {
  const release = await readFile(join(folder, "release.yml"), "utf8");
  const jobs = new Map(release.split(/^ {2}(?=\w+:$)/m).map((text) => [text.slice(0, text.indexOf(":")), text]));
  for (const [name, text] of jobs) {
    if (/: write/.test(text)) expect(text, name).not.toMatch(/npm ci$|npm run (build|release -- --dry-run)|npx/m);
    const isKept = text.includes("actions/checkout@") && !text.includes("persist-credentials: false");
    expect(isKept, name).toBe(text.includes("contents: write"));
  }
  expect(jobs.get("npm")).not.toContain("npm ci");
  expect(jobs.get("packages")).toContain("npm ci\n");
});

test("a release that waits for somebody holds up no other job", async () => {
  const release = await readFile(join(folder, "release.yml"), "utf8");
  expect(
    [...release.matchAll(/^( *)concurrency: (\w+)$/gm)].map(([, indent, group]) => [indent?.length, group]),
  ).toEqual(["version", "npm", "applications"].map((job) => [4, job]));
  expect(release.match(/concurrency/g)).toHaveLength(3);
});

test("a version is known as released by the commit that has its tag on origin", async () => {
  const [, script = ""] =
    /id: version\n +run: \|\n((?: {10}.*\n)+)/.exec(await readFile(join(folder, "release.yml"), "utf8")) ?? [];
  const parent = await mkdtemp(join(tmpdir(), "quarterturn-released-"));
  try {
    const { folder: cwd, git } = await smallWorkspace(parent);
    const released = async () => {
      const output = join(parent, "output");
      await writeFile(output, "");
      await promisify(execFile)("bash", ["-e", "-c", script], { cwd, env: { ...process.env, GITHUB_OUTPUT: output } });
      return readFile(output, "utf8");
    };
    expect(await released()).toBe("released=\n");
    await git("push", "--quiet", "origin", "HEAD:refs/tags/v0.1.0");
    expect(await released()).toBe(`released=${await git("rev-parse", "HEAD")}\n`);
    await git("tag", "--annotate", "--message", "by hand", "v0.1.0");
    await git("push", "--quiet", "--force", "origin", "v0.1.0");
    expect(await released()).toBe(`released=${await git("rev-parse", "HEAD")}\n`);
  } finally {
    await rm(parent, { recursive: true });
  }
});
