import { execFile } from "node:child_process";
import { cp, glob, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = new URL("../../..", import.meta.url).pathname;
const run = promisify(execFile);

test("a patch of one package gives all packages the same new version, each with a changelog, and whoever names them follows", async () => {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-versions-"));
  try {
    const manifests: string[] = [];
    for await (const path of glob("{packages,tools}/*/package.json", { cwd: root })) manifests.push(path);
    for (const path of ["package.json", "package-lock.json", ".changeset/config.json", ...manifests]) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await cp(join(root, path), join(folder, path));
    }
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, ".changeset/mended.md"), '---\n"@quarterturn/core": patch\n---\n\nMended.\n');
    await run("git", ["init", "--quiet"], { cwd: folder });
    await run(join(root, "node_modules/.bin/changeset"), ["version"], { cwd: folder });

    const versions = new Set<string>();
    for (const path of manifests) {
      const text = await readFile(join(folder, path), "utf8");
      const { name, version } = JSON.parse(text) as { name: string; version: string };
      const isPublic = /^(@quarterturn\/.+|quarterturn)$/.test(name);
      const named = [...text.matchAll(/"@quarterturn\/[\w-]+": "(?!\.\/)(.+)"/g)].map(([, range = ""]) => range);
      for (const each of [...named, ...(isPublic ? [version] : [])]) versions.add(each);
      if (isPublic) {
        const changelog = await readFile(join(folder, dirname(path), "CHANGELOG.md"), "utf8");
        expect(changelog, path).toContain(`## ${version}\n`);
      }
    }
    const { version: before } = JSON.parse(await readFile(join(root, "packages/core/package.json"), "utf8"));
    expect([...versions]).toEqual([before.replace(/\d+$/, (patch: string) => String(Number(patch) + 1))]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
