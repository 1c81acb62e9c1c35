import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
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
test.for(["SIGINT", "SIGTERM"] as const)(
  "%s to the process group stops the servers and removes all",
  async (signal) => {
    const command = startCommand();
    const port = await readyPort(command);
    process.kill(-Number(command.pid), signal);
    expect(await once(command, "exit")).toEqual([0, null]);
    expect(await serverFolders()).toEqual([]);
    await expect(reach(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  },
);

test("a process killed when its server is ready leaves neither server nor folder", async () => {
  const command = startCommand();
  const port = await readyPort(command);
  await reach(port);
  await kill(command);
  await expect.poll(serverFolders, { timeout: 5_000 }).toEqual([]);
  await expect(reach(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

// The folder goes after the server has ended.
test.for([0, 5, 10, 20, 40, 80])(
  "a process killed %i ms after it began to start a server leaves neither server nor folder",
  async (milliseconds) => {
    const command = startCommand();
    await expect.poll(serverFolders, { interval: 1, timeout: 10_000 }).toHaveLength(1);
    await sleep(milliseconds);
    await kill(command);
    await expect.poll(serverFolders, { timeout: 5_000 }).toEqual([]);
  },
);

type Command = ReturnType<typeof startCommand>;

function startCommand() {
  const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: temporary };
  for (const variable of ["POSTGRES_URL", ...POSTGRES_VERSIONS.map(urlVariable)]) delete env[variable];
  const main = join(import.meta.dirname, "main.ts");
  return spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"], detached: true });
}

async function serverFolders(): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => !name.startsWith("quarterturn-engines-"));
}

async function readyPort(command: Command): Promise<number> {
  const [output] = await once(command.stdout, "data");
  expect(String(output)).toMatch(/^PostgreSQL 18\.\d+: postgres:\/\/postgres:\w+@localhost:\d+\/postgres\?/);
  return Number(/localhost:(\d+)/.exec(String(output))?.[1]);
}

async function kill(command: Command): Promise<void> {
  command.kill("SIGKILL");
  expect(await once(command, "exit")).toEqual([null, "SIGKILL"]);
}

async function reach(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
}
