import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

// As long as it takes on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 90_000 });

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-test-"));
  // Root's database server is another user's process.
  await chmod(folder, 0o1777);
});
afterEach(async () => {
  expect(await readdir(folder)).toEqual([]);
  expect(await processesOf(folder)).toEqual([]);
  await rmdir(folder);
});

/** Every process of the demo has the folder's name in its arguments or its environment. */
async function processesOf(name: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["axeww"], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split("\n").filter((line) => line.includes(name));
}

const main = new URL("../src/main.ts", import.meta.url);
const brokenAdmin = new URL("./broken-admin.ts", import.meta.url);

function start(script: URL) {
  const child = spawn(process.execPath, ["--conditions=@quarterturn/source", fileURLToPath(script)], {
    env: { PATH: process.env.PATH, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, to which a signal is sent as a terminal sends it.
    detached: true,
  });
  const exited = once(child, "exit");
  return { child, stdout: text(child.stdout), stderr: text(child.stderr), exited };
}

async function run(script: URL) {
  const { stdout, stderr, exited } = start(script);
  const [code] = await exited;
  return { code, stdout: await stdout, stderr: await stderr };
}

const rowOf = (output: string, name: string) =>
  output
    .split("\n")
    .find((line) => line.startsWith(`  ${name}`))
    ?.slice(2 + name.length)
    .trim()
    .split(/ {2,}/);

test("without a terminal: plain lines of 80 columns, both promises kept, and nothing is left", async () => {
  const { code, stdout, stderr } = await run(main);
  expect(stderr).toBe("");
  expect(stdout).not.toContain("\u001b");
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  expect(rowOf(stdout, "promise")).toEqual(["kept", "kept", "kept"]);
  const refused = rowOf(stdout, "  of these refused")?.map(Number) ?? [];
  expect(refused.slice(1)).toEqual([0, 0]);
  const windows = rowOf(stdout, "refused-login window")?.map((text) => Number.parseInt(text, 10)) ?? [];
  expect(windows.map((window) => window > 0)).toEqual([Number(refused[0]) > 0, false, false]);
  const [single = 0, toTwin = 0, back = 0] = rowOf(stdout, "Secrets Manager calls")?.map(Number) ?? [];
  expect(single).toBeLessThanOrEqual(8);
  expect([toTwin, back].every((calls) => calls > 0 && calls <= 9)).toBe(true);
  expect(rowOf(stdout, "database logins")).toEqual(["3", "3", "3"]);
  expect(rowOf(stdout, "  of these failed")).toEqual(["0", "0", "0"]);
  expect(stdout).toContain("logs in as checkout_clone");
  expect(code).toBe(0);
});

test("with a wrong password in the admin secret: it fails, says why, and shows the function's log", async () => {
  const { code, stdout } = await run(brokenAdmin);
  expect(code).toBe(1);
  expect(rowOf(stdout, "promise")).toEqual(["kept", "failed"]);
  expect(stdout).toMatch(/The rotation failed in setSecret: .* refuses the admin "rds_admin"/);
  expect(stdout).toMatch(/^\{.*"level":"ERROR".*"code":"credentials-rejected".*\}$/m);
  expect(stdout).not.toContain("What to do next");
  expect(stdout).not.toContain("not-the-admins-password");
});

test.each([
  ["while everything starts", "SIGINT", "once for each step"],
  ["before the first rotation", "SIGTERM", "What runs here"],
  ["in the single-user rotation", "SIGINT", "1 of 3"],
  ["in the multi-user rotation", "SIGHUP", "3 of 3"],
] as const)("interrupted %s (%s): it says so, and nothing is left", async (_when, signal, words) => {
  const { child, stdout, stderr, exited } = start(main);
  await new Promise<void>((resolve) => {
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output.includes(words)) resolve();
    });
  });
  const group = -(child.pid ?? Number.NaN);
  process.kill(group, signal);
  // Impatient people press it twice.
  setTimeout(() => process.kill(group, signal), 50);
  const [code] = await exited;
  expect(await stderr).toBe("Interrupted. What was started is stopped, and its files are removed.\n");
  expect(await stdout).not.toContain("Summary");
  expect(code).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
});
