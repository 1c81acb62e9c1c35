import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { everyServer } from "../test/every-server.ts";
import { createTestCa, POSTGRES_VERSIONS, type PostgresServer, startPostgres } from "./index.ts";
import { loopbackAddresses } from "./loopback.ts";
import { urlVariable } from "./postgres-version.ts";

vi.mock("./loopback.ts", { spy: true });
beforeEach(() => {
  for (const variable of ["POSTGRES_URL", ...POSTGRES_VERSIONS.map(urlVariable)]) vi.stubEnv(variable, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const NUMBER = {
  "14": /^14\.\d+$/,
  "15": /^15\.\d+$/,
  "16": /^16\.\d+$/,
  "17": /^17\.[1-9]\d$/,
  "17.0": /^17\.0$/,
  "17.1": /^17\.1$/,
  "18": /^18\.\d+$/,
};

const ask = async (client: pg.Client, { port }: { port: number }) =>
  expect((await client.query("SHOW port")).rows).toEqual([{ port: String(port) }]);
everyServer(startPostgres, ask, loopbackAddresses());

test.for(POSTGRES_VERSIONS)("PostgreSQL %s starts and lets its admin in over verified TLS", async (version) => {
  await using server = await startPostgres({ version });
  expect(server.version).toMatch(NUMBER[version]);
  const client = await server.connect();
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS version, ssl, rolsuper,
            (SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = current_user) AS password
       FROM pg_catalog.pg_stat_ssl, pg_catalog.pg_roles
      WHERE pid = pg_catalog.pg_backend_pid() AND rolname = current_user`,
  );
  expect(rows).toEqual([
    { version: server.version, ssl: true, rolsuper: true, password: expect.stringMatching(/^SCRAM-SHA-256\$/) },
  ]);
});

test("a server that cannot start is an error with its log, and leaves no folder", async () => {
  const starting = startPostgres({ settings: { max_connections: "many" } });
  const error = await starting.catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/PostgreSQL 18\.\d+ did not start: it ended.*max_connections.*"many"/s);
  const [, folder] = /configuration file "(.*)\/postgresql\.conf"/.exec(String(error)) ?? [];
  expect(folder).toBeDefined();
  expect(existsSync(String(folder))).toBe(false);
});

test("settings reach the server as they are", async () => {
  const settings = { log_statement: "all", password_encryption: "md5", "quarterturn.text": "it's \\n" };
  await using server = await startPostgres({ settings });
  const client = await server.connect();
  for (const [name, value] of Object.entries(settings)) {
    const { rows } = await client.query("SELECT current_setting($1) AS value", [name]);
    expect(rows).toEqual([{ value }]);
  }
  expect(await readFile(server.logFile, "utf8")).toContain("SELECT current_setting($1) AS value");
});

test("the caller's environment does not reach the server", async () => {
  vi.stubEnv("PGDATESTYLE", "German");
  await using server = await startPostgres();
  const client = await server.connect();
  expect((await client.query("SHOW datestyle")).rows).toEqual([{ DateStyle: "ISO, MDY" }]);
});

test("the lines of pg_hba.conf replace the default", async () => {
  await using server = await startPostgres({ hba: ["hostssl all all all scram-sha-256"] });
  await expect(logIn(server, { ca: server.ca })).resolves.toBe("TLS");
  await expect(logIn(server, false)).rejects.toThrow("no pg_hba.conf entry");
});

test("a client that trusts caFile gets in with TLS, and one without TLS gets in too", async () => {
  await using server = await startPostgres();
  const ca = await readFile(server.caFile, "utf8");
  expect(ca).toBe(server.ca);
  await expect(logIn(server, { ca })).resolves.toBe("TLS");
  await expect(logIn(server, false)).resolves.toBe("plaintext");
});

test("a certificate of another authority is refused, and server.ca is that authority", async () => {
  const [trusted, foreign] = [await createTestCa(), await createTestCa()];
  await using server = await startPostgres({ certificate: await foreign.issue({ hosts: ["localhost"] }) });
  await expect(logIn(server, { ca: trusted.pem })).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  expect(server.ca).toBe(foreign.pem);
  await expect(server.connect()).resolves.toBeInstanceOf(pg.Client);
});

test("a server with certificate none speaks no TLS, and connect reaches it", async () => {
  await using server = await startPostgres({ certificate: "none" });
  await expect(logIn(server, { ca: server.ca })).rejects.toThrow("The server does not support SSL connections");
  await expect(server.connect()).resolves.toBeInstanceOf(pg.Client);
});

/** As an application would, without the server's own `connect`. */
async function logIn(server: PostgresServer, ssl: pg.ClientConfig["ssl"]): Promise<"TLS" | "plaintext"> {
  const { host, port, admin } = server;
  const { username: user, password } = admin;
  const client = new pg.Client({ host, port, user, password, database: "postgres", ssl });
  await client.connect();
  const { rows } = await client.query("SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()");
  await client.end();
  return rows[0].ssl ? "TLS" : "plaintext";
}
