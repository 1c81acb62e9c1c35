import { RotationError, reasonOf } from "@quarterturn/core";
import type { Login } from "./engine.ts";

/** A login whose connection failed. */
interface FailedLogin {
  /** The server, for messages. */
  readonly where: string;
  /** The database's name, for messages. */
  readonly product: string;
  /** Whether a connection had come about. */
  readonly isConnected: boolean;
  /** How many milliseconds the server had, where it did not answer within them. */
  readonly expiredMs: number | undefined;
}

/** The error of a login that was not answered in time, or for which no connection came about; undefined where one did, and ended. */
export function noAnswerError(
  error: unknown,
  { where, product, isConnected, expiredMs }: FailedLogin,
): RotationError | undefined {
  const because = { cause: error };
  if (expiredMs !== undefined) {
    return isConnected
      ? new RotationError(
          "timeout",
          `${where}: connected, and no answer within ${expiredMs} ms`,
          `This login changed nothing. Check that the port is ${product}'s and that the server is not overloaded or starting.`,
          because,
        )
      : new RotationError(
          "timeout",
          `${where}: no connection within ${expiredMs} ms`,
          "Packets to the server are dropped: the function's subnets need a route to it, and its security group must let the function's in on this port.",
          because,
        );
  }
  if (isConnected) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return new RotationError(
    "unreachable",
    code === "ENOTFOUND" || code === "EAI_AGAIN"
      ? `${where}: the host name has no address`
      : `${where}: no connection (${reasonOf(error)})`,
    "Check host and port of the secret, and that the database is running and reachable from the function's subnets.",
    because,
  );
}

/** The error of a login that was not refused, and whose connection the server ended. */
export function connectionEndedError(
  error: unknown,
  { where, product }: Pick<FailedLogin, "where" | "product">,
  { tls }: Login,
): RotationError {
  return new RotationError(
    "unreachable",
    `${where}: the server ended the connection during the login (${reasonOf(error)})`,
    `Check that the port is ${product}'s and that no proxy or limit ends its connections${tls ? "" : "; it may require TLS, which the secret's ssl turns off"}.`,
    { cause: error },
  );
}
