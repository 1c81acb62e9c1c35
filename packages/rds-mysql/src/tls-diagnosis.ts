import { once } from "node:events";
import { connect, isIP } from "node:net";
import { connect as connectTls, type DetailedPeerCertificate, type SecureContext } from "node:tls";
import type { Login } from "@quarterturn/database";

/** What is wrong with a server's certificate, in the form of Node's own errors. */
export interface TlsDiagnosis {
  readonly error: { readonly code: string; readonly cert: { readonly subjectaltname: string | undefined } };
  readonly issuer: string | undefined;
}

/**
 * A driver that was refused by its own verification does not say which check failed. So a second connection goes as far as the handshake,
 * sends nothing but the request for it, and asks. Undefined where the server does not show the same again.
 */
export async function diagnoseTls(
  { host, port }: Login,
  secureContext: SecureContext,
  milliseconds: number,
): Promise<TlsDiagnosis | undefined> {
  const signal = AbortSignal.timeout(milliseconds);
  const socket = connect({ host, port });
  try {
    await once(socket, "data", { signal });
    socket.write(sslRequest);
    const tls = connectTls({
      socket,
      secureContext,
      host,
      rejectUnauthorized: false,
      ...(isIP(host) ? {} : { servername: host }),
    });
    await once(tls, "secureConnect", { signal });
    if (tls.authorized) return undefined;
    const certificate = tls.getPeerCertificate(true);
    let last: DetailedPeerCertificate = certificate;
    while (last.issuerCertificate && last.issuerCertificate !== last) last = last.issuerCertificate;
    return {
      // A code, although its type says otherwise.
      error: { code: String(tls.authorizationError), cert: { subjectaltname: certificate.subjectaltname } },
      issuer: [last.issuer.CN ?? last.issuer.O].flat()[0],
    };
  } catch {
    // The failure is being reported already; this is only its detail.
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Packet 1 of 32 bytes: the capabilities SSL, PROTOCOL_41 and SECURE_CONNECTION, 16 MB packets, utf8mb4.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html */
const sslRequest = Buffer.concat([
  Buffer.from([32, 0, 0, 1]),
  Buffer.from([0x00, 0x8a, 0x00, 0x00]),
  Buffer.from([0, 0, 0, 1]),
  Buffer.from([45]),
  Buffer.alloc(23),
]);
