import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ferretdbInstallation } from "./ferretdb-installation.ts";
import { createTestCa, startFerretdb } from "./index.ts";
import { freePort, LOOPBACK } from "./loopback.ts";
import { serverUser } from "./server-user.ts";

vi.mock("./loopback.ts", { spy: true });
// The first time it is built.
beforeAll(ferretdbInstallation, 600_000);
beforeEach(() => {
  vi.stubEnv("MONGODB_URL", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test("starts and lets its admin in over verified TLS, and nobody else", async () => {
  await using server = await startFerretdb();
  expect(server.version).toMatch(/^FerretDB 1\.\d+\.\d+$/);
  const admin = await server.connect();
  const { users } = await admin.db("admin").command({ usersInfo: { forAllDBs: true } });
  expect(users).toMatchObject([
    { user: "admin", db: "admin", roles: [{ role: "root" }], mechanisms: ["SCRAM-SHA-1", "SCRAM-SHA-256"] },
  ]);
  await expect(server.connect({ password: "other" })).rejects.toMatchObject({ code: 18 });
  await expect(server.connect({ authSource: "other" })).rejects.toMatchObject({ code: 18 });
});

test("four starts at once give four servers", async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => startFerretdb()));
  try {
    expect(new Set(servers.map(({ port }) => port)).size).toBe(4);
    for (const server of servers) await server.connect();
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
});

test("a port that another program takes first is given up", async () => {
  const taken = await freePort();
  const other = createServer().listen(taken, LOOPBACK);
  await once(other, "listening");
  try {
    vi.mocked(freePort).mockResolvedValueOnce(taken);
    await using server = await startFerretdb();
    await server.connect();
  } finally {
    other.close();
  }
});

test("closing ends the clients, stops the server and removes its folder, also the second time", async () => {
  const server = await startFerretdb();
  const client = await server.connect();
  await server.close();
  await server.close();
  await expect(client.db("admin").command({ ping: 1 })).rejects.toThrow();
  const socket = connect(server.port, LOOPBACK);
  expect((await once(socket, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  expect(existsSync(dirname(server.logFile))).toBe(false);
});

test("a process killed when its server is ready leaves neither server nor folder", async () => {
  const main = join(import.meta.dirname, "main.ts");
  const command = spawn(process.execPath, [main, "mongo"], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await once(command.stdout, "data");
  const url = new URL(/mongodb:\S+/.exec(String(output))?.[0] ?? "");
  const folder = dirname(url.searchParams.get("tlsCAFile") ?? "");
  expect(existsSync(join(folder, "data"))).toBe(true);
  await (await new MongoClient(url.href).connect()).close();
  command.kill("SIGKILL");
  await expect.poll(() => existsSync(folder), { timeout: 5_000 }).toBe(false);
});

test("the server is not root's, and its admin's password is not among its arguments", async () => {
  await using server = await startFerretdb();
  const { uid } = await stat(server.logFile);
  expect(uid).toBe(serverUser().uid);
  expect(uid).not.toBe(0);
  expect(await readFile(server.logFile, "utf8")).not.toContain(server.admin.password);
});

test.each([
  {
    is: "an expired certificate",
    hosts: ["localhost"],
    notAfter: new Date(Date.now() - 60_000),
    reason: "certificate has expired",
  },
  {
    is: "a certificate for another host",
    hosts: ["db.example.com"],
    reason: "does not match certificate's altnames",
  },
])("$is is refused", { timeout: 30_000 }, async ({ is: _, reason, ...request }) => {
  const ca = await createTestCa();
  await using server = await startFerretdb({ certificate: await ca.issue(request) });
  expect(await readFile(server.caFile, "utf8")).toBe(ca.pem);
  await expect(server.connect()).rejects.toThrow(reason);
});

test("a server with certificate none speaks no TLS, and connect reaches it", async () => {
  await using server = await startFerretdb({ certificate: "none" });
  await server.connect();
  const socket = connect(server.port, LOOPBACK);
  // A client's hello of TLS.
  socket.end(Buffer.from("160301020001000001fc0303aaaaaaaaaaaaaaaaaaaaaaaa", "hex"));
  await once(socket.resume(), "close");
});
