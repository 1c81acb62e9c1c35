import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PackedPackage, packedPackages, packPackages } from "../src/pack.ts";
import { type StagedPackage, stagePackages } from "../src/stage.ts";
import { complaintsOfCompiler, type Installed, installEach } from "./installed.ts";
import { lockedSize } from "./locked.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { databases, rotateOnce } from "./rotation.ts";

const root = new URL("../../..", import.meta.url).pathname;
const run = promisify(execFile);

let folder: string;
let registry: Registry;
let staged: readonly StagedPackage[];
let packages: readonly PackedPackage[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-release-"));
  [registry] = await Promise.all([startRegistry(), run("npm", ["run", "build"], { cwd: root })]);
  const packed = join(folder, "packed");
  staged = await stagePackages(join(folder, "staged"));
  await packPackages(staged, undefined, packed);
  packages = await packedPackages(undefined, packed);
  // Whoever may publish to npm must not do so by running tests.
  for (const key of ["registry", "@quarterturn:registry"]) {
    const env = { ...process.env, ...registry.publishingEnv };
    expect((await run("npm", ["config", "get", key], { env })).stdout.trim(), key).toBe(registry.url);
  }
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** What a release prints, by the package's name. It runs in a process of its own, where npm has no terminal. */
async function release({ dryRun = false, killAfter = 0, env = {} } = {}): Promise<Readonly<Record<string, string>>> {
  const publish = join(import.meta.dirname, "../src/publish.ts");
  const script = `await (await import(${JSON.stringify(publish)})).publishPackages(${JSON.stringify(packages)}, { dryRun: ${dryRun} })`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    detached: true,
    env: { ...process.env, ...registry.publishingEnv, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => {
    // npm says its own, too.
    if (line.startsWith("+ ")) return;
    lines.push(line);
    if (lines.length === killAfter) process.kill(-(child.pid ?? 0), "SIGKILL");
  });
  expect(await once(child, "close")).toEqual(killAfter === 0 ? [0, null] : [null, "SIGKILL"]);
  return outcomes(lines);
}

function outcomes(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, outcome = "", name = ""] = /^(.*?) {2,}(.+)@/.exec(line) ?? [];
      return [name, outcome];
    }),
  );
}

const homepage = "https://github.com/quarterturn/quarterturn";
const names = () => packages.map(({ name }) => name);
const all = (outcome: string) => Object.fromEntries(names().map((name) => [name, outcome]));

describe("a release", { timeout: 120_000 }, () => {
  it("is only told by --dry-run", async () => {
    expect(await release({ dryRun: true })).toEqual(all("would publish"));
    expect(await release({ dryRun: true })).toEqual(all("would publish"));
  });

  it("looks for each package where npm would publish it, which may be another registry for the scope", async () => {
    // Below a path, whose last slash npm does without.
    const server = createServer(({ url }, response) => {
      response.writeHead(url?.startsWith("/npm/@quarterturn/") ? 200 : 404).end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const env = { "npm_config_@quarterturn:registry": `http://127.0.0.1:${port}/npm` };
    expect(await release({ dryRun: true, env })).toEqual({ ...all("there already"), quarterturn: "would publish" });
    await once(server.close(), "close");
  });

  it("that was killed is finished by the next one, and the one after that publishes nothing", async () => {
    const published = await release({ killAfter: 3 });
    expect(Object.keys(published)).toEqual(names().slice(0, 3));

    // The kill met the fourth before, while or after the registry took it.
    const [first, second, third, , ...rest] = Object.entries(await release());
    expect([first, second, third]).toEqual(Object.entries(all("there already")).slice(0, 3));
    expect(rest).toEqual(Object.entries(all("published")).slice(4));

    expect(await release()).toEqual(all("there already"));
  });

  it("puts into each tarball dist, README, LICENSE, CHANGELOG and package.json, and nothing of use only in the repository", async () => {
    for (const { name, version, folder } of staged) {
      const directory = `packages/${basename(folder)}`;
      const { files, text } = await tarball(name, version);
      const others = files.filter((file) => !/^dist\/([\w-]+\/)*[\w-]+\.(js|js\.map|d\.ts)$/.test(file));
      expect(others, name).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
      expect(await text("package.json")).not.toMatch(
        /@quarterturn\/source|devDependencies|"scripts"|@quarterturn-tools/,
      );
      expect(JSON.parse(await text("package.json"))).toMatchObject({
        license: "Apache-2.0",
        homepage: `${homepage}/tree/main/${directory}`,
        bugs: `${homepage}/issues`,
        repository: { type: "git", url: `git+${homepage}.git`, directory },
        keywords: expect.arrayContaining(["aws", "secrets-manager", "rotation"]),
        engines: { node: expect.stringMatching(/^>=2[24]/) },
        sideEffects: false,
      });
      const readme = await text("README.md");
      expect(readme.replace(/^```[\s\S]*?^```$/gm, "")).not.toMatch(/\]\((?!https:|#)/);
      expect(examples(readme)).toEqual(examples(await readFile(join(root, directory, "README.md"), "utf8")));
    }
  });
});

const examples = (readme: string) => readme.match(/^```[\s\S]*?^```$/gm);

/** A published tarball, as the registry gives it. */
async function tarball(name: string, version: string) {
  const file = `${name.split("/").at(-1)}-${version}.tgz`;
  const response = await fetch(`${registry.url}${name}/-/${file}`);
  await writeFile(join(folder, file), new Uint8Array(await response.arrayBuffer()));
  const { stdout } = await run("tar", ["-tzf", join(folder, file)]);
  return {
    files: stdout
      .trim()
      .split("\n")
      .map((path) => path.replace("package/", ""))
      .sort(),
    text: async (path: string) => (await run("tar", ["-xzOf", join(folder, file), `package/${path}`])).stdout,
  };
}

describe("installed from the registry by its README's line", { timeout: 120_000 }, () => {
  let installed: Readonly<Record<string, Installed>>;
  beforeAll(async () => {
    await release();
    installed = await installEach(folder, staged, registry);
  });
  const package_ = (name: string): Installed => {
    const found = installed[name];
    if (!found) throw new Error(`${name} was not installed.`);
    return found;
  };

  const drivers = ["pg", "mysql2", "bson", "@aws-sdk/client-redshift", "@aws-sdk/client-redshift-data", "vitest"];
  it.each([
    { name: "rds-postgres", has: ["pg"] },
    { name: "rds-mysql", has: ["mysql2"] },
    { name: "documentdb", has: ["bson"] },
    { name: "redshift", has: ["pg", "@aws-sdk/client-redshift", "@aws-sdk/client-redshift-data"] },
    { name: "template", has: [] },
    { name: "local", has: [] },
  ])("$name brings nothing of the other engines", ({ name, has }) => {
    expect(drivers.filter((driver) => package_(name).packages.includes(driver))).toEqual(has);
    const own = [name, "core", "database", "pg-wire"].map((each) => `@quarterturn/${each}`);
    expect(names().filter((each) => package_(name).packages.includes(each) && !own.includes(each))).toEqual([]);
  });

  it("each is as large as its README says, within a quarter, in the versions of the lockfile, and takes the Node.js that it names", async () => {
    for (const [name, { named, readme, node }] of Object.entries(installed)) {
      const { packages, megabytes } = await lockedSize(named, join(folder, "staged"));
      const stated = /^It brings (\d+) packages, ([\d.]+) MB in all/m.exec(readme)?.slice(1).map(Number) ?? [];
      const isNear = [packages, megabytes].every((figure, i) => Math.abs(figure / (stated[i] ?? 0) - 1) < 0.25);
      const line = `It brings ${packages} packages, ${Number(megabytes.toPrecision(2))} MB in all`;
      expect.soft(isNear, `packages/${name}/README.md must say: ${line}`).toBe(true);
      expect.soft(readme, name).toContain(`takes Node.js ${node.replace(">=", "")} or later`);
    }
  });

  it.each(["nodenext", "bundler"] as const)(
    "every README's handler and everything that is exported compiles with %s resolution, by what was installed alone",
    async (resolution) => {
      const folders = Object.values(installed).map(({ folder }) => folder);
      expect(await complaintsOfCompiler(folders, resolution)).toEqual([]);
    },
  );

  it.each(["rds-postgres", "rds-mysql", "documentdb", "redshift", "template"])(
    "%s: the README's handler answers an event, as the ready ones do",
    async (name) => {
      const ready = name === "template" ? [] : ["single-user", "multi-user"];
      const handlers = ["./handler.ts", ...ready.map((strategy) => `@quarterturn/${name}/${strategy}`)];
      const refused = expect.stringMatching(/^RotationError: The event is not a rotation event/);
      expect(await package_(name).answers(handlers)).toEqual(handlers.map(() => refused));
    },
  );

  it("the installed command line runs", async () => {
    const { stdout } = await run(join(package_("cli").folder, "node_modules/.bin/quarterturn"), ["apps"]);
    expect(stdout).toContain("quarterturn-rds-postgres-single-user ");
  });

  it.each(databases)("$name rotates a password", async ({ name, start }) => {
    await using database = await start();
    const endpoint = package_("local").folder;
    const handler = `@quarterturn/${name}/single-user`;
    const password = await rotateOnce(database, { folder: package_(name).folder, handler, endpoint });
    expect(password).not.toBe(database.secret.password);
  });
});
