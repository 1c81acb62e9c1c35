import { connect as connectTcp, isIP } from "node:net";
import { RotationError, reasonOf } from "@quarterturn/core";
import { type EngineContext, type Login, noTlsError, type TlsPolicy, tlsError, whereOf } from "@quarterturn/database";
import { createConnection, type RowDataPacket, type SslOptions } from "mysql2/promise";
import { connectionError, isServerError, loginError, statementError } from "./errors.ts";

/** Runs one statement; `doing` and `remedy` (what helps where a right is missing) make the words of its error. */
export type Run = (sql: string, doing: string, remedy?: string) => Promise<RowDataPacket[]>;

export interface Connection {
  readonly run: Run;
  /** Ends it; waits a second for the server's part of that, and no longer. */
  close(): Promise<void>;
}

/**
 * An open connection, or `rejected` where the server refused the name or the password.
 *
 * @param database whether to go to the login's database, as an application would
 * @throws RotationError `unreachable`, `timeout`, `tls`, `privilege`, `bad-secret` or `database`
 */
export async function connect(
  login: Login,
  { deadline }: EngineContext,
  database: boolean,
): Promise<Connection | "rejected"> {
  const where = whereOf(login);
  if (login.tls && isIP(login.host)) {
    // The driver would look for the name "localhost" in the certificate.
    throw new RotationError(
      "tls",
      `${where}: of an address no certificate can be verified here`,
      "This try changed nothing. Put the name that the server's certificate holds into the secret's host.",
    );
  }
  const milliseconds = deadline.share();
  const socket = connectTcp({ host: login.host, port: login.port, noDelay: true });
  let isConnected = false;
  socket.once("connect", () => {
    isConnected = true;
  });
  try {
    const client = await createConnection({
      // Of the connection's own name it verifies the certificate.
      host: login.host,
      stream: () => socket,
      user: login.username,
      password: login.password,
      connectTimeout: milliseconds,
      charset: "utf8mb4",
      ...(login.tls ? { ssl: sslOptions(login.tls) } : {}),
      ...(database && login.dbname !== undefined ? { database: login.dbname } : {}),
    });
    // Without a listener, an error of an idle connection would end the process; the next statement reports it.
    client.on("error", () => undefined);
    return {
      async run(sql, doing, remedy) {
        try {
          const [rows] = await client.query<RowDataPacket[]>({ sql, timeout: deadline.share() });
          return rows;
        } catch (error) {
          // A connection that did not answer is not waited for again.
          if (!isServerError(error)) socket.destroy();
          throw statementError(error, where, doing, remedy);
        }
      },
      async close() {
        if (socket.destroyed) return;
        const timer = setTimeout(() => socket.destroy(), 1_000);
        // The driver does not wait for the server's part: an invocation that ended before would leave bytes to the next.
        const closed = new Promise((resolve) => socket.once("close", resolve));
        // A connection that has broken, or breaks now, has nothing to end.
        await client.end().catch(() => socket.destroy());
        await closed;
        clearTimeout(timer);
      },
    };
  } catch (error) {
    socket.destroy();
    if (isServerError(error)) {
      if (error.errno === 1045) return "rejected";
      throw loginError(error, login, where);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === "HANDSHAKE_NO_SSL_SUPPORT") throw noTlsError(where, error);
    if (code === "HANDSHAKE_SSL_ERROR") {
      throw (
        tlsError(verificationError(error as Error), where) ??
        new RotationError(
          "tls",
          `${where}: the encrypted connection failed (${reasonOf(error)})`,
          "Check the server's TLS configuration: TLS 1.2 or later is required.",
          { cause: error },
        )
      );
    }
    throw connectionError(error, login, where, isConnected, milliseconds);
  }
}

const optionsOf = new WeakMap<Exclude<TlsPolicy, false>, SslOptions>();

/** One object for all connections: the driver makes one context for each. */
function sslOptions(tls: Exclude<TlsPolicy, false>): SslOptions {
  const options = optionsOf.get(tls) ?? { ca: [...tls.authorities], rejectUnauthorized: true, verifyIdentity: true };
  optionsOf.set(tls, options);
  return options;
}

/** Node's own error of a certificate that failed: the driver writes a code of its own over it, and leaves the text. */
function verificationError(error: Error): Error {
  const [, code] = verificationCodes.find(([text]) => error.message.startsWith(text)) ?? [];
  return code === undefined ? error : Object.assign(error, { code });
}

/** How the texts begin; some go on with advice. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const verificationCodes = [
  ["Hostname/IP does not match", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["certificate has expired", "CERT_HAS_EXPIRED"],
  ["certificate is not yet valid", "CERT_NOT_YET_VALID"],
  ["unable to verify the first certificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  ["unable to get local issuer certificate", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
  ["unable to get issuer certificate", "UNABLE_TO_GET_ISSUER_CERT"],
  ["self-signed certificate in certificate chain", "SELF_SIGNED_CERT_IN_CHAIN"],
  ["self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"],
] as const;
