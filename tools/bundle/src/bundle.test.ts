import { execFile } from "node:child_process";
import { cp, glob, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { Spec } from "@cyclonedx/cyclonedx-library";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import { unzipSync } from "fflate";
import { PackageURL } from "packageurl-js";
import { afterAll, beforeAll, expect, it } from "vitest";
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
    for (const file of (await readdir(functionFolder)).filter((name) => name.endsWith(".js"))) {
      const code = await readFile(join(functionFolder, file), "utf8");
      const required = [...code.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
      expect(required).not.toEqual([]);
      expect(required.filter((name) => !allowed.has(name) && !optional.includes(name))).toEqual([]);
    }
  }
});

/** The npm packages in a bundle, as the bundler's table of sizes names them, with the versions that are installed. */
async function installedIn({ contents }: Bundle): Promise<string[]> {
  const names = new Set([...contents.values()].flat().map((each) => each.package));
  const installed = [...names].filter((name) => !/^(<stdin>|packages\/|tools\/)/.test(name));
  return Promise.all(
    installed.sort().map(async (name) => {
      const path = join(workspace, "node_modules", name, "package.json");
      const { version, license } = JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
      return `${name} ${version} (${license})`;
    }),
  );
}

it("the archive has this project's licence, and names every package in it with its version and licence", async () => {
  for (const each of bundles) {
    expect(await readFile(join(each.folder, "LICENSE"))).toEqual(await readFile(join(workspace, "LICENSE")));
    const licences = await readFile(join(each.folder, "THIRD-PARTY-LICENSES"), "utf8");
    const named = licences.match(/^\S+ \d\S* \([\w.-]+\)$/gm)?.sort();
    const expected = await installedIn(each);
    expect(named).toEqual(expected.sort());
    expect(expected.length).toBeGreaterThan(5);
  }
});

it("the archive has a bill of materials that CycloneDX's own schema accepts, of the same packages and our own", async () => {
  const validator = new JsonStrictValidator(Spec.Version.v1dot6);
  for (const each of bundles) {
    const text = await readFile(join(each.folder, "sbom.cdx.json"), "utf8");
    expect(await validator.validate(text)).toBeNull();
    const { metadata, components, dependencies } = JSON.parse(text) as Sbom;
    expect(metadata.component.name).toBe(each.name);
    const own = ["core", each.name.replace(/-(single|multi)-user$/, "")].map(
      (name) => `pkg:npm/%40quarterturn/${name}@`,
    );
    for (const purl of own)
      expect(components.map((component) => component.purl.replace(/@[^@]*$/, "@"))).toContain(purl);
    const installed = components.filter(({ purl }) => !purl.startsWith("pkg:npm/%40quarterturn"));
    const listed = installed.map(({ purl, version, licenses }) => {
      const { namespace, name } = PackageURL.fromString(purl);
      return `${namespace ? `${namespace}/` : ""}${name} ${version} (${licenses.map(({ license }) => license.id)})`;
    });
    expect(listed.sort()).toEqual((await installedIn(each)).sort());
    // Whatever is in it is there because something else needs it.
    const needed = new Set([each.name]);
    for (const ref of needed)
      for (const other of dependencies.find((d) => d.ref === ref)?.dependsOn ?? []) needed.add(other);
    expect([...needed].sort()).toEqual([each.name, ...components.map((component) => component["bom-ref"])].sort());
  }
});

interface Sbom {
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly {
    readonly "bom-ref": string;
    readonly purl: string;
    readonly version: string;
    readonly licenses: readonly { readonly license: { readonly id: string } }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

it("the archive holds the files as they were written", async () => {
  for (const { folder: functionFolder, zipFile } of bundles) {
    const unpacked = unzipSync(await readFile(zipFile));
    expect(Object.keys(unpacked).sort()).toEqual((await readdir(functionFolder)).sort());
    for (const [name, bytes] of Object.entries(unpacked)) {
      expect(Buffer.from(bytes).equals(await readFile(join(functionFolder, name)))).toBe(true);
    }
  }
});

it("the same sources give the same archive, in another folder, at another time and in another time zone", async () => {
  const checkout = join(folder, "checkout");
  const isSource = (path: string) => !/\/(node_modules|dist|test)$/.test(path);
  for (const path of ["packages", "tools/bundle", "LICENSE", "package.json", "tsconfig.json", "tsconfig.base.json"])
    await cp(join(workspace, path), join(checkout, path), { recursive: true, filter: isSource });
  // The installed packages are where they were, and the project's own are the copies.
  const modules = join(checkout, "node_modules");
  await mkdir(modules);
  for (const name of await readdir(join(workspace, "node_modules")))
    if (name !== "@quarterturn") await symlink(join(workspace, "node_modules", name), join(modules, name));
  await cp(join(workspace, "node_modules/@quarterturn"), join(modules, "@quarterturn"), {
    recursive: true,
    verbatimSymlinks: true,
  });
  const output = join(folder, "elsewhere");
  const script = `
    const { now } = Date;
    Date.now = () => now() + 1e11;
    Date = new Proxy(Date, { construct: (real, given) => new real(...(given.length > 0 ? given : [Date.now()])) });
    const { bundle, lambdaFunctions } = await import(${JSON.stringify(join(checkout, "tools/bundle/src/index.ts"))});
    const functions = await lambdaFunctions([${JSON.stringify(join(checkout, "packages/rds-postgres"))}]);
    await bundle(${JSON.stringify(output)}, functions);`;
  const parameters = ["--conditions=@quarterturn/source", "--input-type=module", "--eval", script];
  await promisify(execFile)(process.execPath, parameters, { env: { ...process.env, TZ: "Pacific/Honolulu" } });

  const made = await readdir(output);
  expect(made.filter((name) => name.endsWith(".zip"))).toHaveLength(2);
  for (const { name, zipFile } of bundles.filter(({ engine }) => engine === "postgres")) {
    expect((await readFile(join(output, `${name}.zip`))).equals(await readFile(zipFile))).toBe(true);
  }
});
