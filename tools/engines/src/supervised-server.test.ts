import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POSTGRES_VERSIONS } from "./index.ts";
import { urlVariable } from "./postgres-version.ts";

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), "engines-test-"));
  await chmod(temporary, 0o1777);
});
afterAll(async () => {
  await rm(temporary, { recursive: true });
});

// A terminal sends Ctrl-C to all processes of a group.
test.for(["SIGINT", "SIGTERM"] as const)("%s to the process group stops the servers of the command, which leaves nothing", async (signal) => {
  const command = startCommand();
  const [output] = await once(command.stdout, "data");
  expect(String(output)).toMatch(/^PostgreSQL 18\.\d+: postgres:\/\/postgres:\w+@localhost:\d+\/postgres\?/);
  process.kill(-Number(command.pid), signal);
  expect(await once(command, "exit")).toEqual([0, null]);
  expect(await serverFolders()).toEqual([]);
  expect(serverProcesses()).toEqual([]);
});

test.for([0, 5, 10, 20, 40, 80, 300])(
  "a process killed %i ms after it began to start a server leaves neither server nor folder",
  async (milliseconds) => {
    const command = startCommand();
    await expect.poll(serverFolders, { interval: 1, timeout: 10_000 }).toHaveLength(1);
    await sleep(milliseconds);
    command.kill("SIGKILL");
    expect(await once(command, "exit")).toEqual([null, "SIGKILL"]);
    await expect.poll(serverFolders, { timeout: 5_000 }).toEqual([]);
    await expect.poll(serverProcesses, { timeout: 5_000 }).toEqual([]);
  },
);

function startCommand() {
  const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: temporary };
  for (const variable of ["POSTGRES_URL", ...POSTGRES_VERSIONS.map(urlVariable)]) delete env[variable];
  const main = join(import.meta.dirname, "main.ts");
  return spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"], detached: true });
}

async function serverFolders(): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => !name.startsWith("quarterturn-engines-"));
}

function serverProcesses(): string[] {
  const processes = execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" }).split("\n");
  return processes.filter((line) => line.includes(temporary));
}
