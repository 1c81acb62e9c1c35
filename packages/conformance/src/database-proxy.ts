import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { EffectMeter } from "./effects.ts";
import type { Address } from "./target.ts";

/** Faults of the network between the rotator and its server. */
export const networkFaults = ["closed", "silent", "resets"] as const;
export type NetworkFault = (typeof networkFaults)[number];

/**
 * Stands before the database and passes bytes on without looking at them, so TLS passes through. One effect is one turn: bytes of the
 * client after bytes of the server.
 */
export interface DatabaseProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections since the last `forget`. */
  readonly connections: number;
  forget(): void;
  /** Where connections go from now on. */
  forwardTo(address: Address): void;
  /** `closed` refuses connections, `silent` accepts and never answers, `resets` accepts and resets; undefined: none of these. */
  play(fault: NetworkFault | undefined): Promise<void>;
}

export async function startDatabaseProxy(meter: EffectMeter): Promise<DatabaseProxy> {
  let upstream: Address | undefined;
  let fault: NetworkFault | undefined;
  let connections = 0;
  const sockets = new Set<Socket>();

  function accept(client: Socket): void {
    connections++;
    track(client);
    if (fault === "resets") client.resetAndDestroy();
    else if (fault === undefined && upstream)
      pass(client, track(connect({ ...upstream, noDelay: true, allowHalfOpen: true })));
  }

  function pass(client: Socket, database: Socket): void {
    let speaker: "client" | "database" = "database";
    let stop: "before" | "after" | undefined;
    const die = async () => {
      await meter.kill();
      client.destroy();
      database.destroy();
    };
    client.on("data", (bytes) => {
      // What is sent to a server that has ended the connection has no effect: TLS says goodbye from both sides.
      if (speaker === "database" && !database.readableEnded) stop ??= meter.count("database turn");
      speaker = "client";
      if (stop === "before") void die();
      else database.write(bytes);
    });
    const answer = (deliver: () => void) => {
      speaker = "database";
      if (stop === "after") void die();
      else deliver();
    };
    database.on("data", (bytes) => answer(() => client.write(bytes)));
    // A server may answer by ending the connection, or by not being there.
    database.on("end", () => answer(() => client.end()));
    database.on("close", () => answer(() => client.destroy()));
    // A client that says goodbye and waits for the end is let go by the server, not by this proxy.
    client.on("end", () => database.end());
    client.on("close", () => database.destroy());
  }

  /** An error of a socket is followed by its close, which is what both sides react to. */
  function track(socket: Socket): Socket {
    sockets.add(socket);
    return socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, accept);
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const stopListening = async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    get connections() {
      return connections;
    },
    forget() {
      connections = 0;
    },
    forwardTo(address) {
      upstream = address;
    },
    async play(next) {
      fault = next;
      // A connection that was kept open must not go around the fault.
      for (const socket of sockets) socket.destroy();
      if (next === "closed") await stopListening();
      else if (!server.listening) await listen(port);
    },
    [Symbol.asyncDispose]: stopListening,
  };
}
