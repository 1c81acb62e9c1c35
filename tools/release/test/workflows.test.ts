import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { actionlint } from "./actionlint.ts";

const folder = new URL("../../../.github/workflows", import.meta.url).pathname;
const workflows = (await readdir(folder)).map((name) => join(folder, name));

// The first time it is built.
const timeout = 300_000;

test("actionlint finds nothing in the workflows, and finds what is wrong", { timeout }, async () => {
  expect(workflows.map((path) => basename(path))).toEqual(["ci.yml", "release.yml"]);
  expect(await actionlint(workflows)).toEqual([]);

  const copies = await mkdtemp(join(tmpdir(), "workflows-"));
  const release = await readFile(join(folder, "release.yml"), "utf8");
  await writeFile(join(copies, "release.yml"), release.replace("needs: [ci, mode]", "needs: [ci, modes]"));
  try {
    expect((await actionlint([join(copies, "release.yml")])).join()).toContain('"modes"');
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
