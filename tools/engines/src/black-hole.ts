import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { LOOPBACK } from "./loopback.ts";

/** A port that answers nothing at all, not even a request to connect, as one behind a security group that drops packets. */
export interface BlackHole extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Another process listens, is stopped, and gets connections until the system's queue for it is full: Linux then drops what else comes.
 *
 * @throws Error where the system goes on accepting
 */
export async function startBlackHole(): Promise<BlackHole> {
  const listen = `const server = require("node:net").createServer().listen({ port: 0, host: "${LOOPBACK}", backlog: 1 }, () => console.log(server.address().port))`;
  const listener = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(listener.stdout, "data")) as [Buffer];
  const port = Number(line);
  listener.kill("SIGSTOP");
  const queued: Socket[] = [];
  const close = async () => {
    for (const socket of queued) socket.destroy();
    if (listener.exitCode !== null || listener.signalCode !== null) return;
    const ended = once(listener, "exit");
    listener.kill("SIGKILL");
    await ended;
  };
  while (queued.length < 16) {
    const socket = connect(port, LOOPBACK);
    queued.push(socket);
    // A socket that waits in vain is ended by close(), which it may report.
    socket.on("error", () => socket.destroy());
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(300) });
    } catch {
      return { host: LOOPBACK, port, close, [Symbol.asyncDispose]: close };
    }
  }
  await close();
  throw new Error("This system accepts connections for a process that is stopped: no black hole can be made here.");
}
