import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newRotator, workspace } from "./new-rotator.ts";
import { copyWorkspace, runTool } from "./scratch-workspace.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "new-rotator-"));
  await mkdir(join(root, "packages"));
});
afterEach(() => rm(root, { recursive: true }));

/** A build sees other packages as they are published, so they are built before it, and not where other tests run. */
async function copyPackages(...names: readonly string[]): Promise<void> {
  const modules = join(root, "node_modules");
  await rm(modules);
  await mkdir(join(modules, "@quarterturn"), { recursive: true });
  for (const each of await readdir(join(workspace, "node_modules"))) {
    if (each !== "@quarterturn") await symlink(join(workspace, "node_modules", each), join(modules, each));
  }
  for (const name of names) {
    for (const part of ["package.json", "tsconfig.build.json", "src"]) {
      await cp(join(workspace, "packages", name, part), join(root, "packages", name, part), { recursive: true });
    }
    await symlink(join(root, "packages", name), join(modules, "@quarterturn", name));
  }
}

test("a new rotator passes types, build and its tests as created", { timeout: 60_000 }, async () => {
  await copyWorkspace(root);
  await newRotator("acme-billing", join(root, "packages"));
  await runTool(root, "tsc", "-p", ".");

  // The whole suite runs on the example that this is a copy of.
  const report = await runTool(root, "vitest", "run", "-t", "each of three rotations|service's own rotations");
  expect(report).toMatch(/acme-billing, multi-user keeps the promises/);
  expect(report).toMatch(/Test Files +4 passed/);
  expect(report).toMatch(/Tests +8 passed/);

  await copyPackages("core", "template");
  for (const name of ["core", "template", "acme-billing"]) {
    await runTool(root, "tsc", "-p", `packages/${name}/tsconfig.build.json`);
  }
  expect(await readdir(join(root, "packages/acme-billing/dist"))).toContain("single-user.js");
});

test.each(["a", "acme-billing-sandbox-eu-1"])("a new rotator with the name %s passes lint", async (name) => {
  await copyWorkspace(root);
  await newRotator(name, join(root, "packages"));
  await runTool(root, "biome", "check", "--error-on-warnings", ".");
});

test("the name is everywhere that the example's was", async () => {
  const files = await newRotator("acme-billing", join(root, "packages"));
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    expect(await readFile(file, "utf8"), file).not.toMatch(/key-service|KEY_SERVICE|keyService|Key Service/);
  }
  const manifest = await readFile(join(root, "packages/acme-billing/src/manifest.ts"), "utf8");
  for (const name of ['name: "acme-billing"', 'title: "Acme Billing"', '"ACME_BILLING_URL"']) {
    expect(manifest).toContain(name);
  }
});

test("what must be filled in is marked", async () => {
  await newRotator("acme-billing", join(root, "packages"));
  const marksIn = async (path: string) =>
    (await readFile(join(root, "packages/acme-billing", path), "utf8")).match(/^.*TODO: .*$/gm);
  expect(await marksIn("README.md")).toHaveLength(1);
  expect(await marksIn("src/manifest.ts")).toHaveLength(3);
});

test("what git does not have is not copied", async () => {
  const source = join(root, "key-service");
  for (const file of ["src/key-service.ts", "dist/key-service.js"]) {
    await mkdir(dirname(join(source, file)), { recursive: true });
    await writeFile(join(source, file), "");
  }
  for (const parameters of [["init"], ["add", "src"]]) await promisify(execFile)("git", parameters, { cwd: source });
  expect(await newRotator("acme", join(root, "packages"), source)).toEqual([
    join(root, "packages/acme/src/key-service.ts"),
  ]);
  expect(await readdir(join(root, "packages/acme"))).toEqual(["src"]);
});

test.each(["", "Acme", "acme_billing", "../acme", "acme-", "2acme", "a".repeat(26)])(
  'refuses "%s" as a name and makes nothing',
  async (name) => {
    await expect(newRotator(name, join(root, "packages"))).rejects.toThrow("is no name for a package");
    expect(await readdir(join(root, "packages"))).toEqual([]);
  },
);

test("refuses a package that exists and leaves it alone", async () => {
  await mkdir(join(root, "packages/acme"));
  await expect(newRotator("acme", join(root, "packages"))).rejects.toThrow("exists");
  expect(await readdir(join(root, "packages/acme"))).toEqual([]);
});
