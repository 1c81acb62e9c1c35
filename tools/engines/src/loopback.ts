import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";

export const LOOPBACK = "127.0.0.1";

/** The addresses that "localhost" may mean on this machine. */
export function loopbackAddresses(): string[] {
  const here = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return here.some(({ address }) => address === "::1") ? [LOOPBACK, "::1"] : [LOOPBACK];
}

/** Listens on a port that the system chooses, and returns it. */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The system gave no TCP port.");
  return address.port;
}

/**
 * A TCP port that nothing listened on a moment ago. PostgreSQL cannot be told to take any free port, and another process
 * can be faster than it: whoever uses the number must be ready to try again with another.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  await once(server, "close");
  return port;
}
