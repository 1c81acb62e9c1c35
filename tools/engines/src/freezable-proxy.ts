import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy before a server that, once frozen, takes everything and gives nothing, as a server does whose machine hangs. */
export interface FreezableProxy {
  readonly port: number;
  /** Thaws it, and freezes it again after so many answers of the server: pieces of bytes, however long. */
  freezeAfter(answers: number): void;
  close(): void;
}

/** @param port of the server, on 127.0.0.1 */
export async function startFreezableProxy(port: number): Promise<FreezableProxy> {
  const sockets: Socket[] = [];
  let isFrozen = false;
  let answers = 0;
  let last = Number.POSITIVE_INFINITY;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    sockets.push(client, upstream);
    client.on("data", (bytes) => isFrozen || upstream.write(bytes));
    upstream.on("data", (bytes) => {
      if (isFrozen) return;
      client.write(bytes);
      isFrozen = ++answers >= last;
    });
    client.on("end", () => isFrozen || upstream.end());
    upstream.on("end", () => isFrozen || client.end());
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    freezeAfter(count) {
      answers = 0;
      isFrozen = false;
      last = count;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
