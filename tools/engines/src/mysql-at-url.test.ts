import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTestCa, type MysqlServer, startMariadb, startMysql } from "./index.ts";

beforeEach(() => {
  for (const variable of ["MYSQL_URL", "MARIADB_URL"]) vi.stubEnv(variable, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const products = [
  { title: "MySQL", start: startMysql, variable: "MYSQL_URL", other: startMariadb },
  { title: "MariaDB", start: startMariadb, variable: "MARIADB_URL", other: startMysql },
];

describe.each(products)("$variable", ({ title, start, variable, other }) => {
  test("its server is used over verified TLS and outlives its closing", async () => {
    await using running = await start();
    vi.stubEnv(variable, url(running));
    const server = await start();
    const { version, host, port, admin, ca, caFile } = running;
    expect(server).toMatchObject({ version, host, port, admin, ca, caFile });
    const connection = await server.connect();
    expect((await connection.query("SHOW STATUS LIKE 'Ssl_cipher'"))[0]).toEqual([
      expect.objectContaining({ Value: expect.stringMatching(/./) }),
    ]);
    await server.close();
    await expect(connection.query("SELECT 1")).rejects.toThrow();
    await expect(running.connect()).resolves.toBeDefined();
    expect(() => server.logFile).toThrow(`The log of the server of ${variable} cannot be read.`);
  });

  test("a password of any characters comes through it", async () => {
    await using running = await start();
    const password = "a/b@c:d?e#f%g h";
    const admin = await running.connect();
    await admin.query("CREATE USER 'ad min'@'%' IDENTIFIED BY ?", [password]);
    vi.stubEnv(variable, url({ ...running, admin: { username: "ad min", password } }));
    await using server = await start();
    expect(server.admin).toEqual({ username: "ad min", password });
  });

  test("a server of the other product is an error", async () => {
    await using running = await other();
    vi.stubEnv(variable, url(running));
    await expect(start()).rejects.toThrow(`${variable} names no ${title}: ${running.version}`);
  });

  test("what only a server of our own can be given is an error that names the variable", async () => {
    vi.stubEnv(variable, "mysql://admin:secret@localhost/?sslrootcert=/ca.pem");
    const certificate = await (await createTestCa()).issue({ hosts: ["localhost"] });
    for (const [name, options] of Object.entries({
      settings: { settings: { "general-log": "ON" } },
      certificate: { certificate },
    })) {
      await expect(start(options)).rejects.toThrow(
        `A server with ${name} of its own is asked for, which the server of ${variable} cannot be given.`,
      );
    }
  });

  test.each([
    "localhost:3306",
    "postgres://admin:secret@localhost/?sslrootcert=/ca.pem",
    "mysql://localhost/?sslrootcert=/ca.pem",
    "mysql://admin@localhost/?sslrootcert=/ca.pem",
    "mysql://admin:secret@localhost/",
  ])("the URL %s is an error that shows the form and no password", async (text) => {
    vi.stubEnv(variable, text);
    const error = await start().catch(String);
    expect(error).toContain(`${variable} is not of the form mysql://USER:PASSWORD@HOST:PORT/?sslrootcert=FILE.`);
    expect(error).not.toContain("secret");
  });
});

function url({ host, port, admin, caFile }: MysqlServer): string {
  const [user, password] = [admin.username, admin.password].map(encodeURIComponent);
  return `mysql://${user}:${password}@${host}:${port}/?sslrootcert=${encodeURIComponent(caFile)}`;
}
