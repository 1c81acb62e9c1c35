/** Second looks at a server whose encryption failed, for the words of the error. They send no name and no password. */
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { issuerShownBy, type Login } from "@quarterturn/database";
import { wireOver } from "./wire.ts";

/** Who signed the certificate that a server shows; undefined where the server does not show it again. */
export async function certificateIssuer({ host, port }: Login, milliseconds: number): Promise<string | undefined> {
  const tls = connectTls({ host, port, rejectUnauthorized: false, ...(isIP(host) ? {} : { servername: host }) });
  return looking(tls, milliseconds, async (signal) => {
    await once(tls, "secureConnect", { signal });
    return issuerShownBy(tls);
  });
}

/** Whether what is there answers a hello that is not encrypted. */
export async function answersInPlaintext({ host, port }: Login, milliseconds: number): Promise<boolean> {
  const socket = connect({ host, port });
  const isAnswered = await looking(socket, milliseconds, async (signal) => {
    await once(socket, "connect", { signal });
    await wireOver(socket).command("admin", { isMaster: 1 });
    return true;
  });
  return isAnswered === true;
}

async function looking<T>(
  socket: Socket,
  milliseconds: number,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const timer = setTimeout(() => socket.destroy(), milliseconds);
  try {
    return await look(AbortSignal.timeout(milliseconds));
  } catch {
    // The failure is being reported already; this is only its detail.
    return undefined;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
