import { Socket } from "node:net";
import { RotationError, reasonOf } from "@quarterturn/core";
import {
  connectionEndedError,
  type EngineContext,
  isUnknownAuthority,
  type Login,
  noAnswerError,
  noTlsError,
  tlsError,
  whereOf,
} from "@quarterturn/database";
import { Client, DatabaseError } from "pg";
import { certificateIssuer } from "./certificate-issuer.ts";

/** What differs between the products that speak the protocol. */
export interface Product {
  /** Its name, for messages. */
  readonly name: string;
  /** Whether statements are sent before those before them are answered. */
  readonly isPipelined: boolean;
  /** Whether a refused login says that the name or the password is wrong. */
  isWrongPassword(error: DatabaseError): boolean;
  /** What to do where the server refuses a user with SQLSTATE 28000 for another reason. */
  adviceOnRefusal(login: Login): string;
  /** What to do where the server asks for a way of authentication that node-postgres does not know. */
  readonly adviceOnAuthentication: string;
}

export interface Connection {
  readonly client: Client;
  /** Whether the server let in what may be stored as md5: it asked for that, or for the password itself. */
  readonly mayBeMd5: boolean;
  /** Ends it; waits a second at most for the server's part of that. */
  close(): Promise<void>;
}

/**
 * An open connection, or `rejected` where the server refused the name or the password.
 *
 * @throws RotationError `unreachable`, `timeout`, `tls`, `privilege`, `bad-secret`, `busy`, `unsupported` or `database`
 */
export async function connect(
  login: Login,
  product: Product,
  { deadline }: EngineContext,
): Promise<Connection | "rejected"> {
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
    pipeline: product.isPipelined,
    application_name: "quarterturn",
  });
  // Without a listener, an error of an idle connection would end the process; the next query reports it.
  client.on("error", () => undefined);
  let mayBeMd5 = false;
  for (const asked of ["authenticationMD5Password", "authenticationCleartextPassword"]) {
    client.connection.once(asked, () => {
      mayBeMd5 = true;
    });
  }
  reportParserErrors(client);
  try {
    await client.connect();
    return {
      client,
      mayBeMd5,
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
      if (product.isWrongPassword(error)) return "rejected";
      throw loginError(error, login, where, product);
    }
    const issuer = isUnknownAuthority(error) ? await certificateIssuer(login, deadline.share()) : undefined;
    throw tlsError(error, where, issuer) ?? connectionError(error, login, where, product, isConnected, milliseconds);
  }
}

/**
 * Makes an error of the driver's parser, e.g. at a request for authentication that it does not know, an error of the connection. The driver
 * lets it go through the socket's event, where it would end the process.
 */
function reportParserErrors(client: Client): void {
  const connection = client.connection as Client["connection"] & { attachListeners(stream: Pick<Socket, "on">): void };
  const attachListeners = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) =>
    attachListeners({
      on(event: string, listener: (...given: unknown[]) => void) {
        return stream.on(event, (...given: unknown[]) => {
          try {
            listener(...given);
          } catch (error) {
            connection.emit("error", error);
          }
        });
      },
    } as Pick<Socket, "on">);
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
  product: Product,
  isConnected: boolean,
  milliseconds: number,
): RotationError {
  const reason = reasonOf(error);
  if (reason === "The server does not support SSL connections") return noTlsError(where, error);
  const authentication = /^Unknown authenticationOk message type (\d+)$/.exec(reason)?.[1];
  if (authentication !== undefined) {
    return new RotationError(
      "unsupported",
      `${where}: the server asks for an authentication that node-postgres does not know (type ${authentication})`,
      product.adviceOnAuthentication,
      { cause: error },
    );
  }
  const failed = {
    where,
    product: product.name,
    isConnected,
    expiredMs: reason === "timeout expired" ? milliseconds : undefined,
  };
  return noAnswerError(error, failed) ?? connectionEndedError(error, failed, login);
}

/** The server refused the login for another reason than the password. */
function loginError(error: DatabaseError, login: Login, where: string, product: Product): RotationError {
  const because = { cause: error };
  const said = `${where}: ${error.message} (SQLSTATE ${error.code})`;
  switch (error.code) {
    case "28000":
      return new RotationError("privilege", said, product.adviceOnRefusal(login), because);
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
        "The server is there and does not take this login now. The service tries again; if it stays so, raise the limit that it names or look for who holds its connections.",
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
