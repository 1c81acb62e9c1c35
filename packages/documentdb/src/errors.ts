import { RotationError, reasonOf } from "@quarterturn/core";
import { type Login, noAnswerError } from "@quarterturn/database";
import { ServerError } from "./wire.ts";

/** How far a connection came. */
export type Stage = "connecting" | "encrypting" | "logging in";

/** A server that did not answer in its share of the time. */
export class Timeout extends Error {
  override readonly name = "Timeout";
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
    this.milliseconds = milliseconds;
  }
}

/** No connection, or one that ended before it was a login. */
export function connectionError(error: unknown, login: Login, where: string, stage: Stage): RotationError {
  if (error instanceof ServerError) return loginError(error, where);
  const expiredMs = error instanceof Timeout ? error.milliseconds : undefined;
  const failed = { where, product: "DocumentDB", isConnected: stage !== "connecting", expiredMs };
  return (
    noAnswerError(error, failed) ??
    new RotationError(
      "unreachable",
      `${where}: the connection ended during the login (${reasonOf(error)})`,
      `Check that the port is DocumentDB's and that no proxy or limit ends its connections${login.tls ? "" : "; the server may require TLS, which the secret's ssl turns off"}.`,
      { cause: error },
    )
  );
}

/** The server did not get as far as the password. */
function loginError(error: ServerError, where: string): RotationError {
  return new RotationError(
    isUnavailable(error) ? "busy" : "database",
    `${where}: the login: ${said(error)}`,
    "The server is there and does not take this login now. The service tries again; if it stays so, see the server's log.",
    { cause: error },
  );
}

/** The error of a command, with what an operator can do about it. */
export function statementError(
  error: unknown,
  where: string,
  doing: string,
  remedy: string | undefined,
): RotationError {
  const because = { cause: error };
  if (!(error instanceof ServerError)) {
    return new RotationError(
      error instanceof Timeout ? "timeout" : "unreachable",
      `${where}: ${doing}: no answer (${reasonOf(error)})`,
      "The command may or may not have taken effect. The service tries again, which is safe.",
      because,
    );
  }
  const what = `${where}: ${doing}: ${said(error)}`;
  if (error.code === unauthorized) {
    return new RotationError("privilege", what, remedy ?? "Grant the missing right, then rotate again.", because);
  }
  if (notPrimary.includes(error.code)) {
    return new RotationError(
      "unsupported",
      what,
      "This host is not the primary, or is none any more: put the cluster's endpoint into the secret, and not an instance's or the reader endpoint. During a failover, the service's next try succeeds.",
      because,
    );
  }
  return new RotationError(
    isUnavailable(error) ? "busy" : "database",
    what,
    "The service tries the rotation again.",
    because,
  );
}

/** The number of the server's error that a RotationError was made of. */
export function errorCode(error: unknown): number | undefined {
  const cause = error instanceof RotationError ? error.cause : undefined;
  return cause instanceof ServerError ? cause.code : undefined;
}

/** Whether a server refused a command neither for a right, nor for the user that it names, nor for what the server is at the moment. */
export function isRefusedForm(error: unknown): error is RotationError {
  const ofTheUser = [userExists, userNotFound].includes(errorCode(error) ?? 0);
  return error instanceof RotationError && error.code === "database" && !ofTheUser;
}

export const unauthorized = 13;
export const userExists = 51_003;
const userNotFound = 11;
/** NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, PrimarySteppedDown, InterruptedDueToReplStateChange */
const notPrimary = [10_107, 13_435, 13_436, 189, 11_602];
/** ShutdownInProgress, InterruptedAtShutdown, and too many connections or requests */
const isUnavailable = ({ code }: ServerError) => [91, 11_600, 16_500, 462].includes(code);

/** The server's own words: it writes no password into them. */
function said({ message, code }: ServerError): string {
  return `${message} (error ${code})`;
}
