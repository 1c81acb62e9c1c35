import { createHash } from "node:crypto";
import { glob, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Bundle, bundle } from "./bundle.ts";
import { workspace } from "./lambda-functions.ts";

let folder: string;
let bundles: readonly Bundle[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  bundles = await bundle(join(folder, "first"));
});
afterAll(() => rm(folder, { recursive: true }));

it("makes one function of each handler that a rotator package exports; the template's are its example's", async () => {
  const exported: string[] = [];
  for await (const path of glob("packages/*/package.json", { cwd: workspace })) {
    const { exports } = JSON.parse(await readFile(join(workspace, path), "utf8")) as { exports: object };
    if (!("./manifest" in exports)) continue;
    const handlers = Object.keys(exports).filter((subpath) => subpath !== "." && subpath !== "./manifest");
    exported.push(...handlers.map((subpath) => `${basename(dirname(path))}-${basename(subpath)}`));
  }
  const ofTemplate = ["template-multi-user", "template-single-user"];
  expect(bundles.map(({ name }) => name).sort()).toEqual([...exported, ...ofTemplate].sort());
  expect(exported).toEqual(expect.arrayContaining(["rds-mysql-single-user", "rds-postgres-multi-user"]));
  expect(bundles.find(({ name }) => name === "rds-postgres-multi-user")).toMatchObject({
    engine: "postgres",
    strategy: "multi-user",
  });
});

it.each([
  ["postgres", 600],
  ["mysql", 1_300],
  ["mongo", 550],
  ["redshift", 600],
])("the handlers for %s take at most %i KB", (name, kilobytes) => {
  const sizes = bundles.filter(({ engine }) => engine === name).map(({ bytes }) => bytes);
  expect(sizes).toHaveLength(2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(kilobytes * 1_000);
});

it("keeps the RDS client out of the handler's file, and out of what single-user rotation is", () => {
  for (const { contents, strategy } of bundles.filter(({ engine }) =>
    ["postgres", "mysql", "mongo"].includes(engine),
  )) {
    const holders = [...contents].filter(([, packages]) =>
      packages.some((each) => each.package === "@aws-sdk/client-rds"),
    );
    expect(holders.map(([file]) => file)).toEqual(strategy === "multi-user" ? ["rds.js"] : []);
  }
});

it("keeps the clients of Redshift's own APIs out of the handler's file, and out of what single-user rotation is", () => {
  for (const { contents, strategy } of bundles.filter(({ engine }) => engine === "redshift")) {
    const holders = [...contents].filter(([, packages]) =>
      packages.some((each) => /^@aws-sdk\/client-redshift(-serverless)?$/.test(each.package)),
    );
    expect(holders.map(([file]) => file)).toEqual(strategy === "multi-user" ? ["redshift.js"] : []);
    const ofDataApi = [...contents].filter(([, packages]) =>
      packages.some((each) => each.package === "@aws-sdk/client-redshift-data"),
    );
    expect(ofDataApi.map(([file]) => file)).toEqual(["redshift-data-client.js"]);
  }
});

it("requires nothing but what Node.js brings and its own files", async () => {
  const allowed = new Set([
    ...builtinModules,
    ...builtinModules.map((name) => `node:${name}`),
    "./index.js",
    "./rds.js",
    "./redshift.js",
    "./redshift-data-client.js",
  ]);
  // What the drivers ask for only where an application wants it: pg's native client and Cloudflare's sockets, mysql2's coloured SQL.
  const optional = ["pg-native", "cloudflare:sockets", "cardinal"];
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
