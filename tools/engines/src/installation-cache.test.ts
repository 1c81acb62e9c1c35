import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { installationCache, npmInstallation } from "./installation-cache.ts";

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "engines-test-"));
  vi.stubEnv("TMPDIR", temporary);
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

test("the cache can be entered by everybody and written by its owner only, whatever the umask", async () => {
  const umask = process.umask(0o077);
  try {
    const { mode, uid } = await stat(await installationCache());
    expect(mode & 0o777).toBe(0o755);
    expect(uid).toBe(process.getuid?.());
  } finally {
    process.umask(umask);
  }
});

test("a cache that another user can write is refused", async () => {
  await chmod(await installationCache(), 0o777);
  await expect(installationCache()).rejects.toThrow("programs in it cannot be trusted");
});

test("a cache lasts for a week and is removed after the next", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-01-05T00:00:00Z") });
  const first = await installationCache();
  await mkdir(join(first, "postgres"));
  expect(await installationCache()).toBe(first);
  const names = [basename(first)];
  for (const day of ["2026-01-12", "2026-01-19"]) {
    vi.setSystemTime(new Date(`${day}T00:00:00Z`));
    names.push(basename(await installationCache()));
  }
  expect(new Set(names).size).toBe(3);
  expect((await readdir(temporary)).sort()).toEqual(names.slice(1).sort());
});

test("what a folder locks is installed once into the cache, without a script being run, and anew when the lock has changed", async () => {
  const folder = join(temporary, "locked");
  await mkdir(folder);
  const write = (name: string, content: object) => writeFile(join(folder, name), JSON.stringify(content));
  await write("package.json", { scripts: { install: "touch script-was-run" } });
  const lock = { lockfileVersion: 3, packages: { "": { hasInstallScript: true } } };
  await write("package-lock.json", lock);

  const first = await npmInstallation(folder);
  expect(dirname(first)).toBe(await installationCache());
  expect((await readdir(first)).sort()).toEqual(["package-lock.json", "package.json"]);
  await writeFile(join(first, "made-once"), "");
  expect(await npmInstallation(folder)).toBe(first);
  expect(await readdir(first)).toContain("made-once");
  expect(await readdir(await installationCache())).toHaveLength(1);

  await write("package-lock.json", { ...lock, name: "next" });
  const next = await npmInstallation(folder);
  expect(next).not.toBe(first);
  expect(await readdir(next)).not.toContain("made-once");
});
