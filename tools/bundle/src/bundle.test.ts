import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Bundle, bundle } from "./bundle.ts";

let folder: string;
let bundles: readonly Bundle[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  bundles = await bundle(join(folder, "first"));
});
afterAll(() => rm(folder, { recursive: true }));

it("makes one function of each handler of each rotator package, and none of the template", () => {
  const functions = bundles.map(({ name, engine, strategy }) => ({ name, engine, strategy }));
  expect(functions).toEqual(
    expect.arrayContaining([
      { name: "rds-postgres-single-user", engine: "postgres", strategy: "single-user" },
      { name: "rds-postgres-multi-user", engine: "postgres", strategy: "multi-user" },
    ]),
  );
  expect(functions.filter(({ name }) => name.startsWith("template"))).toEqual([]);
});

it("PostgreSQL's handlers take at most 600 KB", () => {
  const sizes = bundles.filter(({ engine }) => engine === "postgres").map(({ bytes }) => bytes);
  expect(sizes).toHaveLength(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(600_000);
});

it("keeps the RDS client out of the handler's file", () => {
  for (const { contents } of bundles.filter(({ name }) => name.startsWith("rds-"))) {
    const holders = [...contents].filter(([, packages]) =>
      packages.some((each) => each.package === "@aws-sdk/client-rds"),
    );
    expect(holders.map(([file]) => file)).toEqual(["rds.js"]);
  }
});

it("requires nothing but what Node.js brings and its own files", async () => {
  const allowed = new Set([
    ...builtinModules,
    ...builtinModules.map((name) => `node:${name}`),
    "./index.js",
    "./rds.js",
  ]);
  // pg asks for these only where an application wants them: its native client, and Cloudflare's sockets.
  const optional = ["pg-native", "cloudflare:sockets"];
  for (const { folder: functionFolder } of bundles) {
    for (const file of await readdir(functionFolder)) {
      const code = await readFile(join(functionFolder, file), "utf8");
      const required = [...code.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
      expect(required).not.toEqual([]);
      expect(required.filter((name) => !allowed.has(name) && !optional.includes(name))).toEqual([]);
    }
  }
});

it("the archive holds the files as they were written", async () => {
  for (const { folder: functionFolder, zipFile } of bundles) {
    const unpacked = unzipSync(await readFile(zipFile));
    expect(Object.keys(unpacked).sort()).toEqual((await readdir(functionFolder)).sort());
    for (const [name, bytes] of Object.entries(unpacked)) {
      expect(Buffer.from(bytes).equals(await readFile(join(functionFolder, name)))).toBe(true);
    }
  }
});

it("the same sources give the same archive, at another time, in another time zone and place", async () => {
  const digest = async ({ zipFile }: Bundle) =>
    createHash("sha256")
      .update(await readFile(zipFile))
      .digest("hex");
  const before = await Promise.all(bundles.map(digest));
  vi.stubEnv("TZ", "Pacific/Honolulu");
  vi.useFakeTimers({ now: new Date("2031-05-06T07:08:09Z"), toFake: ["Date"] });
  try {
    const again = await bundle(join(folder, "second"));
    expect(await Promise.all(again.map(digest))).toEqual(before);
  } finally {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  }
});
