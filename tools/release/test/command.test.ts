import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publishingEnv, type Registry, startRegistry } from "./registry.ts";
import { type SmallWorkspace, smallWorkspace } from "./small-workspace.ts";

let folder: string;
let workspace: SmallWorkspace;
let registry: Registry;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-release-command-"));
  [workspace, registry] = await Promise.all([smallWorkspace(folder), startRegistry()]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

interface Run {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs a program in the workspace; `answer` is typed when it asks for a one-time password. */
async function run(
  words: readonly string[],
  env: NodeJS.ProcessEnv = registry.publishingEnv,
  answer = "",
): Promise<Run> {
  const [program = "", ...parameters] = words;
  const child = spawn(program, parameters, {
    cwd: workspace.folder,
    // On GitHub Actions npm would ask GitHub to vouch for what is published here.
    env: { ...process.env, GITHUB_ACTIONS: undefined, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (answer !== "" && text.includes("Enter OTP:")) child.stdin.write(`${answer}\n`);
    });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, output };
}

const main = "tools/release/src/main.ts";
const release = (options: readonly string[] = [], env?: NodeJS.ProcessEnv) =>
  run([process.execPath, main, ...options], env);
const head = () => workspace.git("rev-parse", "HEAD");
const tags = () => workspace.git("ls-remote", "--tags", "origin");

// Each goes on where the one before has left the workspace, as a release's days do.
describe("npm run release", { timeout: 300_000 }, () => {
  it("refuses a tree with changes that are not committed", async () => {
    const path = join(workspace.folder, "new.txt");
    await writeFile(path, "");
    const { exitCode, output } = await release();
    await rm(path);
    expect([exitCode, output]).toEqual([2, expect.stringContaining("not committed")]);
  });

  it("refuses while a page says that nothing is published yet, and names the line", async () => {
    const readme = "packages/core/README.md";
    await workspace.commit(readme, "# core\n\n(Not on npm yet: wait.)\n");
    const { exitCode, output } = await release();
    expect([exitCode, output]).toEqual([2, expect.stringContaining(`${readme}:3:(Not on npm yet: wait.)`)]);
    await workspace.commit(readme, "# core\n");
  });

  it("refuses packages that a judge finds wrong, and tags nothing", async () => {
    const path = "packages/core/package.json";
    const { manifest } = workspace;
    const exports = { ...manifest.exports, "./absent": "./dist/absent.js" };
    await workspace.commit(path, { ...manifest, exports });
    const { exitCode, output } = await release();
    expect(output).toMatch(/^FAILED {2}publint {2}@quarterturn\/core$/m);
    expect([exitCode, output]).toEqual([2, expect.stringContaining("nothing was published")]);
    expect(await tags()).toBe("");
    await workspace.commit(path, manifest);
  });

  it("packs with --dry-run, and neither publishes nor tags", async () => {
    // Of a source that was there once: git does not see it, and no compiler takes it away.
    await mkdir(join(workspace.folder, "packages/core/dist"), { recursive: true });
    await writeFile(join(workspace.folder, "packages/core/dist/former.js"), "");
    const { exitCode, output } = await release(["--dry-run"]);
    expect([exitCode, output]).toEqual([0, expect.stringMatching(/^would publish +@quarterturn\/core@0\.1\.0$/m)]);
    expect(await tags()).toBe("");
    const packed = await run(["tar", "-tzf", "build/packed/quarterturn-core-0.1.0.tgz"]);
    expect(packed.output).toContain("package/dist/index.js\n");
    expect(packed.output).not.toContain("former");
    // From here on nothing that npm ci installs is there.
    await rm(join(workspace.folder, "node_modules"));
  });

  it("asks for provenance where GitHub Actions offers it, after it has tagged the commit", async () => {
    const offer = { ...registry.publishingEnv, ACTIONS_ID_TOKEN_REQUEST_URL: `${registry.url}none` };
    const { exitCode, output } = await release(["--packed"], offer);
    // npm refuses it here, since it knows that this is not GitHub Actions.
    expect([exitCode, output]).toEqual([2, expect.stringContaining("Automatic provenance generation not supported")]);
    expect(await tags()).toBe(`${await head()}\trefs/tags/v0.1.0`);
  });

  it("can be asked by npm, in a terminal, for a one-time password", async () => {
    await using asking = await startAskingRegistry("123456");
    const terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    const words = ["python3", "-c", terminal, process.execPath, main, "--packed"];
    const { exitCode, output } = await run(words, asking.env, "123456");
    expect([exitCode, output]).toEqual([0, expect.stringMatching(/published +@quarterturn\/core@0\.1\.0/)]);
    expect(asking.published).toBe(1);
  });

  it("publishes what was packed, and does nothing the second time", async () => {
    const first = await release(["--packed"]);
    expect([first.exitCode, first.output]).toEqual([0, expect.stringMatching(/^published +@quarterturn\/core@/m)]);
    expect((await fetch(`${registry.url}@quarterturn/core/0.1.0`)).status).toBe(200);
    const second = await release(["--packed"]);
    expect(second).toEqual({ exitCode: 0, output: "there already  @quarterturn/core@0.1.0\n" });
  });

  it("refuses what was packed of another commit, and a version that is another commit's", async () => {
    const released = await head();
    await workspace.commit("packages/core/README.md", "# The core\n");
    const other = await release(["--packed"]);
    expect([other.exitCode, other.output]).toEqual([2, expect.stringContaining(`is of commit ${released}`)]);

    const packed = join(workspace.folder, "build/packed/packages.json");
    await writeFile(packed, (await readFile(packed, "utf8")).replace(released, await head()));
    const second = await release(["--packed"]);
    expect([second.exitCode, second.output]).toEqual([2, expect.stringContaining(`the version of commit ${released}`)]);
    expect(await tags()).toBe(`${released}\trefs/tags/v0.1.0`);

    await workspace.git("push", "--quiet", "origin", ":refs/tags/v0.1.0");
    await workspace.git("tag", "--annotate", "--message", "by hand", "v0.1.0", released);
    await workspace.git("push", "--quiet", "origin", "v0.1.0");
    expect((await release(["--packed"])).output).toContain(`the version of commit ${released}`);
  });
});

/** A registry that has nothing, and takes a package only with a one-time password. */
async function startAskingRegistry(password: string) {
  const registry = { env: {}, published: 0 };
  const server = createServer((request, response) => {
    request.resume();
    if (request.method !== "PUT") response.writeHead(404).end("{}");
    else if (request.headers["npm-otp"] === password) {
      registry.published++;
      response.writeHead(201).end("{}");
    } else response.writeHead(401, { "www-authenticate": "OTP" }).end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(registry, {
    env: publishingEnv(port),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  });
}
