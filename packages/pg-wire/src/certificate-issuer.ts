import { once } from "node:events";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { issuerShownBy, type Login } from "@quarterturn/database";

/** PostgreSQL's request to go on in TLS. @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Who signed the certificate that a server shows, for the words of an error: a second connection that trusts nobody, sends nothing but the
 * request for TLS, and ends after the handshake. Undefined where the server does not show it again.
 */
export async function certificateIssuer({ host, port }: Login, milliseconds: number): Promise<string | undefined> {
  const signal = AbortSignal.timeout(milliseconds);
  const socket = connect({ host, port });
  try {
    socket.write(sslRequest);
    await once(socket, "data", { signal });
    const tls = connectTls({ socket, rejectUnauthorized: false, ...(isIP(host) ? {} : { servername: host }) });
    await once(tls, "secureConnect", { signal });
    return issuerShownBy(tls);
  } catch {
    // The reason is being reported already; this is only its detail.
    return undefined;
  } finally {
    socket.destroy();
  }
}
