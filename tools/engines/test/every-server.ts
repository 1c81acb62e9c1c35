import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import { expect, test, vi } from "vitest";
import type { DatabaseServer } from "../src/database-server.ts";
import { createTestCa, type ServerCertificate } from "../src/index.ts";
import { freePort, LOOPBACK } from "../src/loopback.ts";
import { serverUser } from "../src/server-user.ts";

/**
 * Registers the tests of what holds of every server that is started here. The test file mocks loopback.ts as a spy.
 *
 * @param ask has a connection answered
 * @param addresses that the server listens at
 */
export function everyServer<Connection>(
  start: (options?: { certificate: ServerCertificate }) => Promise<DatabaseServer & { connect(): Promise<Connection> }>,
  ask: (connection: Connection, server: DatabaseServer) => Promise<unknown>,
  addresses: readonly string[],
): void {
  test("four starts at once give four servers", async () => {
    const servers = await Promise.all(Array.from({ length: 4 }, () => start()));
    try {
      expect(new Set(servers.map(({ port }) => port)).size).toBe(4);
      for (const server of servers) await ask(await server.connect(), server);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  test.for(addresses)("a port that another program takes first, at %s, is given up", async (address) => {
    const taken = await freePort();
    const other = createServer().listen(taken, address);
    await once(other, "listening");
    try {
      vi.mocked(freePort).mockResolvedValueOnce(taken);
      await using server = await start();
      expect(server.port).not.toBe(taken);
      await server.connect();
    } finally {
      other.close();
    }
  });

  test("closing ends the clients, stops the server and removes its folder, also the second time", async () => {
    const server = await start();
    const connection = await server.connect();
    await server.close();
    await server.close();
    await expect(ask(connection, server)).rejects.toThrow();
    const [error] = await once(connect(server.port, LOOPBACK), "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    expect(existsSync(dirname(server.logFile))).toBe(false);
  });

  test("the server is not root's", async () => {
    await using server = await start();
    const { uid } = await stat(server.logFile);
    expect(uid).toBe(serverUser().uid);
    expect(uid).not.toBe(0);
  });

  test.each([
    {
      is: "an expired certificate",
      request: { hosts: ["localhost"], notAfter: new Date(Date.now() - 60_000) },
      reason: "certificate has expired",
    },
    {
      is: "a certificate for another host",
      request: { hosts: ["db.example.com"] },
      reason: "does not match certificate's altnames",
    },
  ])("$is is refused", { timeout: 30_000 }, async ({ request, reason }) => {
    const ca = await createTestCa();
    await using server = await start({ certificate: await ca.issue(request) });
    expect(await readFile(server.caFile, "utf8")).toBe(ca.pem);
    await expect(server.connect()).rejects.toThrow(reason);
  });
}
