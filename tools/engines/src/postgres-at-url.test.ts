import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { createTestCa, POSTGRES_VERSIONS, type PostgresServer, startPostgres } from "./index.ts";
import { urlFromEnvironment } from "./postgres-at-url.ts";
import { urlVariable } from "./postgres-version.ts";

beforeEach(() => {
  for (const variable of ["POSTGRES_URL", ...POSTGRES_VERSIONS.map(urlVariable)]) vi.stubEnv(variable, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test.for([
  { version: undefined, set: ["POSTGRES_URL", "POSTGRES_18_URL"], taken: "POSTGRES_URL" },
  { version: undefined, set: ["POSTGRES_18_URL"], taken: "POSTGRES_18_URL" },
  { version: undefined, set: ["POSTGRES_17_URL"], taken: undefined },
  { version: "18", set: ["POSTGRES_URL", "POSTGRES_18_URL"], taken: "POSTGRES_18_URL" },
  { version: "14", set: ["POSTGRES_URL", "POSTGRES_18_URL"], taken: undefined },
  { version: "17.1", set: ["POSTGRES_17_URL", "POSTGRES_17_1_URL"], taken: "POSTGRES_17_1_URL" },
  { version: "17.1", set: ["POSTGRES_17_URL"], taken: undefined },
] as const)("with $set set, version $version is the server of $taken", ({ version, set, taken }) => {
  const environment = Object.fromEntries(set.map((variable) => [variable, `the URL of ${variable}`]));
  expect(urlFromEnvironment(version, environment)?.variable).toBe(taken);
});

test("the server of POSTGRES_URL is used over verified TLS and outlives its closing", async () => {
  await using running = await startEmbeddedPostgres({ version: "17.0" });
  vi.stubEnv("POSTGRES_URL", url(running));
  const server = await startPostgres();
  const { version, host, port, admin, ca, caFile } = running;
  expect(server).toMatchObject({ version, host, port, admin, ca, caFile });
  const client = await server.connect();
  expect((await client.query("SHOW ssl")).rows).toEqual([{ ssl: "on" }]);
  await server.close();
  await expect(client.query("SELECT 1")).rejects.toThrow();
  await expect(running.connect()).resolves.toBeDefined();
});

test("a password of any characters comes through the URL", async () => {
  await using running = await startEmbeddedPostgres({});
  const password = "a/b@c:d?e#f%g h";
  const admin = await running.connect();
  await admin.query(`CREATE ROLE "ad min" SUPERUSER LOGIN PASSWORD ${admin.escapeLiteral(password)}`);
  vi.stubEnv("POSTGRES_URL", url({ ...running, admin: { username: "ad min", password } }));
  await using server = await startPostgres();
  expect(server.admin).toEqual({ username: "ad min", password });
});

test("a server of another version than the one asked for is an error", async () => {
  await using running = await startEmbeddedPostgres({ version: "17" });
  expect(running.version).toMatch(/^17\.1\d$/);
  vi.stubEnv("POSTGRES_17_1_URL", url(running));
  await expect(startPostgres({ version: "17.1" })).rejects.toThrow(
    `POSTGRES_17_1_URL names a PostgreSQL ${running.version}, and version 17.1 is asked for.`,
  );
  vi.stubEnv("POSTGRES_17_URL", url(running));
  await using server = await startPostgres({ version: "17" });
  expect(server.version).toBe(running.version);
});

test("what only a server of our own can be given is an error that names the variable", async () => {
  vi.stubEnv("POSTGRES_URL", "postgres://admin:secret@localhost/postgres?sslrootcert=/ca.pem");
  const certificate = await (await createTestCa()).issue({ hosts: ["localhost"] });
  for (const [name, options] of Object.entries({
    settings: { settings: { log_statement: "all" } },
    hba: { hba: ["host all all all md5"] },
    certificate: { certificate },
  })) {
    await expect(startPostgres(options)).rejects.toThrow(
      `A server with ${name} of its own is asked for, which the server of POSTGRES_URL cannot be given.`,
    );
  }
});

test("the log of a server at a URL is an error that names the variable", async () => {
  await using running = await startEmbeddedPostgres({});
  vi.stubEnv("POSTGRES_URL", url(running));
  await using server = await startPostgres();
  expect(() => server.logFile).toThrow("The log of the server of POSTGRES_URL cannot be read.");
});

test.for([
  "localhost:5432",
  "mysql://admin:secret@localhost/?sslrootcert=/ca.pem",
  "postgres://localhost/postgres?sslrootcert=/ca.pem",
  "postgres://admin@localhost/postgres?sslrootcert=/ca.pem",
  "postgres://admin:secret@localhost/postgres",
])("the URL %s is an error that shows the form and no password", async (text) => {
  vi.stubEnv("POSTGRES_URL", text);
  const error = await startPostgres().catch(String);
  expect(error).toContain(
    "POSTGRES_URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslrootcert=FILE.",
  );
  expect(error).not.toContain("secret");
});

function url({ host, port, admin, caFile }: PostgresServer): string {
  const [user, password] = [admin.username, admin.password].map(encodeURIComponent);
  return `postgres://${user}:${password}@${host}:${port}/postgres?sslrootcert=${encodeURIComponent(caFile)}`;
}
