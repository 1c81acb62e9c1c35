import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { longLines, numbersOf, rowOf, runDemo, startDemo } from "./run-demo.ts";

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

const brokenAdmin = new URL("./broken-admin.ts", import.meta.url);

test("without a terminal: plain lines of 80 columns, both promises kept, and nothing is left", async () => {
  const { code, stdout, stderr } = await runDemo([], { TMPDIR: folder });
  expect(stderr).toBe("");
  expect(stdout).not.toContain("\u001b");
  expect(longLines(stdout)).toEqual([]);
  expect(rowOf(stdout, "promise")).toEqual(["kept", "kept", "kept"]);
  const refused = numbersOf(stdout, "  of these refused");
  expect(refused.slice(1)).toEqual([0, 0]);
  const windows = numbersOf(stdout, "refused-login window");
  expect(windows.map((window) => window > 0)).toEqual([Number(refused[0]) > 0, false, false]);
  const [single = 0, toTwin = 0, back = 0] = numbersOf(stdout, "Secrets Manager calls");
  expect(single).toBeLessThanOrEqual(8);
  expect([toTwin, back].every((calls) => calls > 0 && calls <= 9)).toBe(true);
  expect(rowOf(stdout, "function's logins")).toEqual(["3", "3", "3"]);
  expect(rowOf(stdout, "  of these failed")).toEqual(["0", "0", "0"]);
  expect(stdout).toContain("logs in as checkout_clone");
  expect(code).toBe(0);
});

test("with a wrong password in the admin secret: it fails, says why, and shows the function's log", async () => {
  const { code, stdout } = await runDemo([], { TMPDIR: folder }, brokenAdmin);
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
  const { child, stdout, stderr, exited } = startDemo([], { TMPDIR: folder });
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
