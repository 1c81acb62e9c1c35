import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startFerretdb } from "./index.ts";

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "engines-test-"));
  await chmod(temporary, 0o1777);
  vi.stubEnv("TMPDIR", temporary);
  vi.stubEnv("MONGODB_URL", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

const wayOut =
  "Set MONGODB_URL to a server's URL, or do without it (ENGINES=postgres npm test; npm run demo takes PostgreSQL).";

async function leftovers(): Promise<string[]> {
  const [cache = ""] = (await readdir(temporary)).filter((name) => name.startsWith("quarterturn-engines-"));
  return readdir(join(temporary, cache));
}

test("without Go, the error says so, and the way out", async () => {
  const programs = join(temporary, "programs");
  await mkdir(programs);
  vi.stubEnv("PATH", programs);
  const error = await startFerretdb().catch(String);
  expect(error).toContain("cannot be built: there is no go on this machine's PATH. It takes Go 1.24 or later");
  expect(error).toContain(wayOut);
  expect(await leftovers()).toEqual([]);
});

test("modules that cannot be had are an error with Go's reason and the way out", async () => {
  vi.stubEnv("GOPROXY", "off");
  const error = await startFerretdb().catch(String);
  expect(error).toMatch(/cannot be built: .*GOPROXY=off/s);
  expect(error).toContain(wayOut);
  expect(await leftovers()).toEqual([]);
});
