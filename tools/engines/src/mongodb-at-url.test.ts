import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ferretdbInstallation } from "./ferretdb-installation.ts";
import { createTestCa, type MongodbServer, startFerretdb } from "./index.ts";

beforeAll(ferretdbInstallation, 600_000);
beforeEach(() => {
  vi.stubEnv("MONGODB_URL", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test("the server of MONGODB_URL is used over verified TLS and outlives its closing", async () => {
  await using running = await startFerretdb();
  vi.stubEnv("MONGODB_URL", url(running));
  const server = await startFerretdb();
  const { host, port, admin, ca, caFile } = running;
  expect(server).toMatchObject({ host, port, admin, ca, caFile });
  expect(server.version).toMatch(/^[\d.]+ at MONGODB_URL$/);
  const client = await server.connect();
  await server.close();
  await expect(client.db("admin").command({ ping: 1 })).rejects.toThrow();
  await running.connect();
  expect(() => server.logFile).toThrow("The log of the server of MONGODB_URL cannot be read.");
});

test("a name and a password of any characters come through it", async () => {
  await using running = await startFerretdb();
  const password = "a/b@c:d?e#f%g h";
  const admin = await running.connect();
  await admin.db("admin").command({ createUser: "ad min", pwd: password, roles: ["root"] });
  vi.stubEnv("MONGODB_URL", url({ ...running, admin: { username: "ad min", password } }));
  await using server = await startFerretdb();
  expect(server.admin).toEqual({ username: "ad min", password });
});

test("what only a server of our own can be given is an error that names the variable", async () => {
  vi.stubEnv("MONGODB_URL", "mongodb://admin:secret@localhost/?tlsCAFile=/ca.pem");
  const certificate = await (await createTestCa()).issue({ hosts: ["localhost"] });
  for (const [name, options] of Object.entries({
    certificate: { certificate },
    imitates: { imitates: "a secondary" } as const,
  })) {
    await expect(startFerretdb(options)).rejects.toThrow(
      `A server with ${name} of its own is asked for, which the server of MONGODB_URL cannot be given.`,
    );
  }
});

test.each([
  "localhost:27017",
  "mysql://admin:secret@localhost/?tlsCAFile=/ca.pem",
  "mongodb://localhost/?tlsCAFile=/ca.pem",
  "mongodb://admin@localhost/?tlsCAFile=/ca.pem",
  "mongodb://admin:secret@localhost/",
])("the URL %s is an error that shows the form and no password", async (text) => {
  vi.stubEnv("MONGODB_URL", text);
  const error = await startFerretdb().catch(String);
  expect(error).toContain("MONGODB_URL is not of the form mongodb://USER:PASSWORD@HOST:PORT/?tlsCAFile=FILE.");
  expect(error).not.toContain("secret");
});

function url({ host, port, admin, caFile }: MongodbServer): string {
  const [user, password] = [admin.username, admin.password].map(encodeURIComponent);
  return `mongodb://${user}:${password}@${host}:${port}/?tlsCAFile=${encodeURIComponent(caFile)}`;
}
