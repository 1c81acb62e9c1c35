import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { MongoClient } from "mongodb";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { everyServer } from "../test/every-server.ts";
import { ferretdbInstallation } from "./ferretdb-installation.ts";
import { startFerretdb } from "./index.ts";
import { LOOPBACK } from "./loopback.ts";

vi.mock("./loopback.ts", { spy: true });
// The first time it is built.
beforeAll(ferretdbInstallation, 600_000);
beforeEach(() => {
  vi.stubEnv("MONGODB_URL", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

everyServer(startFerretdb, (client) => client.db("admin").command({ ping: 1 }), [LOOPBACK]);

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

test("the admin's password is not among the server's arguments", async () => {
  await using server = await startFerretdb();
  expect(await readFile(server.logFile, "utf8")).not.toContain(server.admin.password);
});

test("a server with certificate none speaks no TLS, and connect reaches it", async () => {
  await using server = await startFerretdb({ certificate: "none" });
  await server.connect();
  const socket = connect(server.port, LOOPBACK);
  // A client's hello of TLS.
  socket.end(Buffer.from("160301020001000001fc0303aaaaaaaaaaaaaaaaaaaaaaaa", "hex"));
  await once(socket.resume(), "close");
});
