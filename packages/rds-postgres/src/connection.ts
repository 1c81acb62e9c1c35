import { Socket } from "node:net";
import { RotationError, reasonOf } from "@quarterturn/core";
import {
  addressOf,
  type EngineContext,
  isUnknownAuthority,
  type Login,
  noTlsError,
  tlsError,
} from "@quarterturn/database";
import { Client, DatabaseError } from "pg";
import { certificateIssuer } from "./certificate-issuer.ts";

/** Server and user, for messages. */
export const whereOf = (login: Login) => `${addressOf(login)} (logged in as "${login.username}")`;

export interface Connection {
  readonly client: Client;
  /** Ends it; waits a second at most for the server's part of that. */
  close(): Promise<void>;
}

/**
 * An open connection, or `rejected` where the server refused the name or the password.
 *
 * @throws RotationError `unreachable`, `timeout`, `tls`, `privilege`, `bad-secret` or `database`
 */
export async function connect(login: Login, { deadline }: EngineContext): Promise<Connection | "rejected"> {
  const milliseconds = deadline.share();
  const socket = new Socket();
  let isConnected = false;
  socket.once("connect", () => {
    isConnected = true;
  });
  const client = new Client({
    host: login.host,
    port: login.port,
    user: login.username,
    password: login.password,
    database: login.dbname,
    ssl: login.tls && { secureContext: login.tls.secureContext },
    stream: () => socket,
    connectionTimeoutMillis: milliseconds,
    application_name: "quarterturn",
  });
  // Without a listener, an error of an idle connection would end the process; the next query reports it.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return {
      client,
      async close() {
        const timer = setTimeout(() => socket.destroy(), Math.min(1_000, deadline.share()));
        await client.end();
        clearTimeout(timer);
      },
    };
  } catch (error) {
    socket.destroy();
    const where = whereOf(login);
    if (error instanceof DatabaseError) {
      if (error.code === "28P01") return "rejected";
      throw loginError(error, login, where);
    }
    const issuer = isUnknownAuthority(error) ? await certificateIssuer(login, deadline.share()) : undefined;
    throw tlsError(error, where, issuer) ?? connectionError(error, login, where, isConnected, milliseconds);
  }
}

/**
 * Whether a login is accepted: the password is proven also where the server, after it has checked it, has another reason to say no.
 *
 * @throws RotationError where the server did not get so far
 */
export async function isAccepted(login: Login, context: EngineContext): Promise<boolean> {
  try {
    const connection = await connect(login, context);
    if (connection === "rejected") return false;
    await connection.close();
    return true;
  } catch (error) {
    if (hasNoRoom(error) || ["42501", "3D000"].includes(causeOf(error)?.code ?? "")) return true;
    throw error;
  }
}

/** Whether a login ended at the user's or the database's own connection limit, which the server looks at after the password. */
export function hasNoRoom(error: unknown): boolean {
  const { code, routine } = causeOf(error) ?? {};
  return code === "53300" && ["InitializeSessionUserId", "CheckMyDatabase"].includes(routine ?? "");
}

/** The server's own error behind one that is thrown. */
export function causeOf(error: unknown): DatabaseError | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof DatabaseError ? cause : undefined;
}

function connectionError(
  error: unknown,
  login: Login,
  where: string,
  isConnected: boolean,
  milliseconds: number,
): RotationError {
  const reason = reasonOf(error);
  const because = { cause: error };
  if (reason === "The server does not support SSL connections") return noTlsError(where, error);
  if (reason === "timeout expired") {
    return isConnected
      ? new RotationError(
          "timeout",
          `${where}: connected, and no answer within ${milliseconds} ms`,
          "This login changed nothing. Check that the port is PostgreSQL's and that the server is not overloaded or starting.",
          because,
        )
      : new RotationError(
          "timeout",
          `${where}: no connection within ${milliseconds} ms`,
          "Packets to the server are dropped: the function's subnets need a route to it, and its security group must let the function's in on this port.",
          because,
        );
  }
  if (!isConnected) {
    const code = (error as NodeJS.ErrnoException).code;
    return new RotationError(
      "unreachable",
      code === "ENOTFOUND" || code === "EAI_AGAIN"
        ? `${where}: the host name has no address`
        : `${where}: no connection (${reason})`,
      "Check host and port of the secret, and that the database is running and reachable from the function's subnets.",
      because,
    );
  }
  return new RotationError(
    "unreachable",
    `${where}: the server ended the connection during the login (${reason})`,
    `Check that the port is PostgreSQL's and that no proxy or limit ends its connections${login.tls ? "" : "; it may require TLS, which the secret's ssl turns off"}.`,
    because,
  );
}

/** The server refused the login for another reason than the password. */
function loginError(error: DatabaseError, login: Login, where: string): RotationError {
  const because = { cause: error };
  const said = `${where}: ${error.message} (SQLSTATE ${error.code})`;
  switch (error.code) {
    case "28000":
      return new RotationError(
        "privilege",
        said,
        `The server's rules refuse this user before any password: give it LOGIN, or an entry in pg_hba.conf for this host, user, database and ${login.tls ? "TLS" : "plaintext (or turn the secret's ssl on)"}.`,
        because,
      );
    case "3D000":
      return new RotationError("bad-secret", said, "Correct dbname in the secret.", because);
    case "42501":
      return new RotationError(
        "privilege",
        said,
        "Grant the user CONNECT on this database, or correct dbname in the secret.",
        because,
      );
    default:
      return new RotationError(
        error.code?.startsWith("53") || error.code?.startsWith("57P") ? "busy" : "database",
        said,
        "The server is there and does not take this login now. The service tries again.",
        because,
      );
  }
}

/** The error of a statement, with what an operator can do about it. */
export function statementError(
  error: unknown,
  where: string,
  doing: string,
  remedy: string | undefined,
): RotationError {
  const because = { cause: error };
  if (!(error instanceof DatabaseError)) {
    const reason = reasonOf(error);
    return new RotationError(
      reason === "Query read timeout" ? "timeout" : "unreachable",
      `${where}: ${doing}: no answer (${reason})`,
      "The statement may or may not have taken effect. The service tries again, which is safe.",
      because,
    );
  }
  // The text of a syntax error quotes the statement.
  const text = error.code?.startsWith("426") ? "" : `${error.message} `;
  const said = `${where}: ${doing}: ${text}(SQLSTATE ${error.code})`;
  switch (error.code) {
    case "42501":
      return new RotationError("privilege", said, remedy ?? "Grant the missing right, then rotate again.", because);
    // A standby refuses BEGIN READ WRITE as a feature that it does not have.
    case "25006":
    case "0A000":
      return new RotationError(
        "unsupported",
        said,
        "The server is read-only: put the writer's host into the secret.",
        because,
      );
    case "57014":
    case "25P03":
    case "25P04":
      return new RotationError(
        "timeout",
        said,
        "Another session may hold the user's row locked. The service tries again.",
        because,
      );
    default:
      return new RotationError("database", said, "The service tries the rotation again.", because);
  }
}
