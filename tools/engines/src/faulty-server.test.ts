import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { type FaultyServerKind, startFaultyServer } from "./index.ts";

const KINDS: FaultyServerKind[] = ["closed", "silent", "resets"];

test("closed: the connection is refused", async () => {
  await using server = await startFaultyServer("closed");
  await expect(logIn(server)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("silent: the connection is accepted and nothing comes", async () => {
  await using server = await startFaultyServer("silent");
  const login = logIn(server).then(
    () => "in",
    (error: Error) => error.message,
  );
  expect(await Promise.race([login, sleep(300, "nothing")])).toBe("nothing");
  await server.close();
  expect(await login).toBe("Connection terminated unexpectedly");
});

test("resets: the connection is reset", async () => {
  await using server = await startFaultyServer("resets");
  await expect(logIn(server)).rejects.toMatchObject({ code: "ECONNRESET" });
});

test.for(KINDS)("%s: closing ends the connections and frees the port, also the second time", async (kind) => {
  const server = await startFaultyServer(kind);
  const login = logIn(server).catch((error: Error) => error);
  await sleep(50);
  await server.close();
  await server.close();
  expect(await login).toBeInstanceOf(Error);
  const heir = createServer().listen(server.port, server.host);
  await once(heir, "listening");
  heir.close();
});

async function logIn({ host, port }: { host: string; port: number }): Promise<void> {
  const client = new pg.Client({ host, port, user: "app", password: "of no use", ssl: {} });
  await client.connect();
}
