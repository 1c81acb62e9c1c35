import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { everyServer } from "../test/every-server.ts";
import { createTestCa, startMariadb, startMysql } from "./index.ts";
import { loopbackAddresses } from "./loopback.ts";

vi.mock("./loopback.ts", { spy: true });
beforeEach(() => {
  for (const variable of ["MYSQL_URL", "MARIADB_URL", "MYSQL_VERSION", "MARIADB_VERSION"]) vi.stubEnv(variable, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const rowsOf = async (connection: Connection, sql: string) => (await connection.query<RowDataPacket[]>(sql))[0];

describe.each([
  { title: "MySQL", start: startMysql, number: /^9\.\d+\.\d+$/, plugin: "caching_sha2_password" },
  { title: "MariaDB", start: startMariadb, number: /^10\.11\.\d+$/, plugin: "mysql_native_password" },
])("$title", ({ title, start, number, plugin }) => {
  const ask = async (connection: Connection, { port }: { port: number }) =>
    expect(await rowsOf(connection, "SELECT @@port AS port")).toEqual([{ port }]);
  everyServer(start, ask, loopbackAddresses());

  test("starts and lets its admin in over verified TLS, and nobody else", async () => {
    await using server = await start();
    expect(server.version).toMatch(number);
    const admin = await server.connect();
    const [version] = await rowsOf(admin, "SELECT VERSION() AS said");
    expect(version?.said).toContain(server.version);
    const [cipher] = await rowsOf(admin, "SHOW STATUS LIKE 'Ssl_cipher'");
    expect(cipher?.Value).toMatch(/^TLS_AES_/);
    // The other accounts are the product's own and cannot log in.
    const accounts = await rowsOf(
      admin,
      "SELECT User AS user, Host AS host, plugin FROM mysql.user WHERE User NOT LIKE 'mysql.%' AND User <> 'mariadb.sys'",
    );
    expect(accounts).toEqual([{ user: "admin", host: "%", plugin }]);
    await expect(server.connect({ password: "" })).rejects.toMatchObject({ code: "ER_ACCESS_DENIED_ERROR" });
  });

  test("a process killed when its server is ready leaves neither server nor folder", async () => {
    const main = join(import.meta.dirname, "main.ts");
    const command = spawn(process.execPath, [main, title.toLowerCase()], { stdio: ["ignore", "pipe", "inherit"] });
    const [output] = await once(command.stdout, "data");
    const url = new URL(String(output).split(" ")[2] ?? "");
    const folder = dirname(url.searchParams.get("sslrootcert") ?? "");
    expect(existsSync(join(folder, "data"))).toBe(true);
    command.kill("SIGKILL");
    await expect.poll(() => existsSync(folder), { timeout: 5_000 }).toBe(false);
    const socket = connect(Number(url.port), "127.0.0.1");
    const [error] = await once(socket, "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a server that cannot start is an error with its log", async () => {
    await expect(start({ settings: { "no-such-option": "1" } })).rejects.toThrow(
      new RegExp(`${title} [\\d.]+ did not start: it ended\\. Its log:.*no-such-option`, "s"),
    );
  });

  test("settings reach the server, and the general log is part of its log", async () => {
    await using server = await start({ settings: { "general-log": "ON", "max-connections": "17" } });
    const connection = await server.connect();
    expect(await rowsOf(connection, "SELECT @@max_connections AS most")).toEqual([{ most: 17 }]);
    await expect.poll(() => readFile(server.logFile, "utf8")).toContain("SELECT @@max_connections AS most");
  });

  test("a certificate of another authority is refused", async () => {
    const trusted = await createTestCa();
    await using server = await start();
    const { host, port, admin } = server;
    const login = { host, port, user: admin.username, password: admin.password };
    await expect(createConnection({ ...login, ssl: { ca: trusted.pem } })).rejects.toThrow(
      "unable to verify the first certificate",
    );
  });

  test("a server with certificate none speaks no TLS, and connect reaches it", async () => {
    await using server = await start({ certificate: "none" });
    const { host, port, admin, ca } = server;
    const login = { host, port, user: admin.username, password: admin.password };
    await expect(createConnection({ ...login, ssl: { ca } })).rejects.toThrow(
      "Server does not support secure connection",
    );
    const [cipher] = await rowsOf(await server.connect(), "SHOW STATUS LIKE 'Ssl_cipher'");
    expect(cipher?.Value).toBe("");
  });
});
