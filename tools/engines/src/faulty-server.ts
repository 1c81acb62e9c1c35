import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { LOOPBACK, listenOnLoopback } from "./loopback.ts";

/**
 * What goes wrong when a client connects:
 * - `closed`: the port refuses the connection.
 * - `silent`: it is accepted, and nothing ever comes.
 * - `resets`: it is accepted, and reset at once.
 */
export type FaultyServerKind = "closed" | "silent" | "resets";

/** A server on this machine that is not as it should be. */
export interface FaultyServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Ends its connections and frees the port. */
  close(): Promise<void>;
}

/** Each client's connection is accepted first, but for `closed`, whose port is not the one that is listened on. */
export async function startFaultyServer(kind: FaultyServerKind): Promise<FaultyServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // That a client goes away, with a reset or without, is what these servers are for.
    socket.on("error", () => socket.destroy());
    BEHAVIOURS[kind](socket);
  });
  const listening = await listenOnLoopback(server);
  const port = kind === "closed" ? await holdClosedPort(listening, sockets) : listening;
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { host: LOOPBACK, port, close, [Symbol.asyncDispose]: close };
}

const BEHAVIOURS: Readonly<Record<FaultyServerKind, (socket: Socket) => void>> = {
  closed: (socket) => socket.resume(),
  silent: (socket) => socket.resume(),
  resets: (socket) => socket.resetAndDestroy(),
};

/**
 * A port that nobody listens on and that the system gives to nobody: the near end of a connection to a server. One that
 * was merely free a moment ago may be another program's a moment later.
 */
async function holdClosedPort(listening: number, sockets: Set<Socket>): Promise<number> {
  const socket = connect({ host: LOOPBACK, port: listening, localAddress: LOOPBACK });
  sockets.add(socket);
  await once(socket, "connect");
  if (socket.localPort === undefined) throw new Error("The system gave no TCP port.");
  return socket.localPort;
}
