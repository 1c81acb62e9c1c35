import { once } from "node:events";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";

/** The loopback addresses that "localhost" may mean on this machine. */
export function loopbackAddresses(): string[] {
  const here = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return here.some(({ address }) => address === "::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

/**
 * A TCP port that nothing listened on a moment ago, at 127.0.0.1. PostgreSQL cannot be told to take any free port, so
 * another process can still be faster: whoever uses the number must be ready to try again.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no TCP port.");
  return address.port;
}
