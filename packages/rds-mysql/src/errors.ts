import { RotationError, reasonOf } from "@quarterturn/core";
import { connectionEndedError, type Login, noAnswerError } from "@quarterturn/database";

/** An answer of the server, as mysql2 throws it. @see https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html */
export interface ServerError extends Error {
  readonly errno: number;
  readonly sqlState: string;
  readonly sqlMessage: string;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && "sqlState" in error && typeof error.sqlState === "string";
}

/** The number of the server's error that a RotationError was made of. */
export function errorNumber(error: unknown): number | undefined {
  const cause = error instanceof RotationError ? error.cause : undefined;
  return isServerError(cause) ? cause.errno : undefined;
}

/**
 * The application, and the session that asks, may have all the connections that an account is allowed: that the server says so, by the
 * account's name, proves the password.
 */
export function acceptedWithoutRoom(error: unknown, username: string): "accepted" {
  const cause = error instanceof RotationError ? error.cause : undefined;
  const said = isServerError(cause) ? `${cause.errno}: ${cause.sqlMessage}` : "";
  if (
    said.startsWith(`1226: User '${username}' has exceeded the 'max_user_connections'`) ||
    said.startsWith(`1203: User ${username} already has more than 'max_user_connections'`)
  )
    return "accepted";
  throw error;
}

/** No connection, or one that ended before it was a login. */
export function connectionError(
  error: unknown,
  login: Login,
  where: string,
  isConnected: boolean,
  milliseconds: number,
): RotationError {
  const { code } = error as NodeJS.ErrnoException;
  const failed = { where, product: "MySQL", isConnected, expiredMs: code === "ETIMEDOUT" ? milliseconds : undefined };
  const noAnswer = noAnswerError(error, failed);
  if (noAnswer) return noAnswer;
  if (code === "AUTH_SWITCH_PLUGIN_ERROR" || code === "MYSQL_CLEAR_PASSWORD_NOT_ENABLED") {
    return new RotationError(
      "unsupported",
      `${where}: the account does not log in by a password that this function could send (${reasonOf(error).split(". ")[0]})`,
      "This try changed nothing. The user must be identified with caching_sha2_password, sha256_password or mysql_native_password: not with IAM, LDAP or, on MariaDB, ed25519.",
      { cause: error },
    );
  }
  return connectionEndedError(error, failed, login);
}

const expired =
  "The account's password is expired. An admin gives it the secret's password again, and PASSWORD EXPIRE NEVER if this function is to keep it.";

/** The server refused the login for another reason than the password. */
export function loginError(error: ServerError, login: Login, where: string): RotationError {
  const because = { cause: error };
  const said = `${where}: ${error.sqlMessage} (error ${error.errno})`;
  switch (error.errno) {
    case 1044:
      return new RotationError(
        "privilege",
        said,
        "Grant the user a right on this database, or correct dbname in the secret.",
        because,
      );
    case 1049:
      return new RotationError("bad-secret", said, "Correct dbname in the secret.", because);
    case 1130:
      return new RotationError(
        "privilege",
        said,
        "No account may log in from the function's address: create one for this host, or for '%'.",
        because,
      );
    case 1862:
      return new RotationError("privilege", said, expired, because);
    case 3118:
    case 4151:
      return new RotationError("privilege", said, "The account is locked: an admin unlocks it.", because);
    case 3955:
      return new RotationError(
        "credentials-rejected",
        said,
        "Too many logins with a wrong password have blocked the account (FAILED_LOGIN_ATTEMPTS), and those of this function count: correct the secret's password first; then an admin runs ALTER USER ... ACCOUNT UNLOCK.",
        because,
      );
    case 1698:
      return new RotationError(
        "unsupported",
        said,
        "This try changed nothing. The account does not log in by a password (auth_socket, unix_socket): identify it with one.",
        because,
      );
    case 3159:
      return new RotationError(
        "tls",
        said,
        `The server takes encrypted connections only, and the secret says "ssl": ${login.tls !== false}.`,
        because,
      );
    default:
      return new RotationError(
        [1040, 1053, 1129, 1203, 1226, 3032].includes(error.errno) ? "busy" : "database",
        said,
        "The server is there and does not take this login now. The service tries again; if it stays so, raise the limit that it names, look for who holds its connections, or (error 1129) run FLUSH HOSTS.",
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
  // The driver keeps the statement with its error.
  if (error instanceof Error && "sql" in error) error.sql = undefined;
  const because = { cause: error };
  if (!isServerError(error)) {
    const { code } = error as NodeJS.ErrnoException;
    return new RotationError(
      code === "PROTOCOL_SEQUENCE_TIMEOUT" ? "timeout" : "unreachable",
      `${where}: ${doing}: no answer (${reasonOf(error)})`,
      "The statement may or may not have taken effect. The service tries again, which is safe.",
      because,
    );
  }
  if (error.errno === 1064) {
    // Its text quotes the statement.
    return new RotationError(
      "unsupported",
      `${where}: ${doing}: the server does not know the statement (error 1064)`,
      "The server's version is not one that this function knows, see its README.",
    );
  }
  const said = `${where}: ${doing}: ${error.sqlMessage} (error ${error.errno})`;
  switch (error.errno) {
    case 1820:
      return new RotationError("privilege", said, expired, because);
    case 1227:
      return new RotationError(
        "privilege",
        said,
        error.sqlMessage.includes("SYSTEM_USER")
          ? "The user has the right SYSTEM_USER, so that only an admin who has it, too, may change it: GRANT SYSTEM_USER ON *.* to the admin of this rotation."
          : (remedy ?? "Grant the missing right, then rotate again."),
        because,
      );
    case 1044:
    case 1045:
    case 1142:
    case 1410:
    case 3619:
    case 3892:
      return new RotationError("privilege", said, remedy ?? "Grant the missing right, then rotate again.", because);
    case 1049:
      return new RotationError("bad-secret", said, remedy ?? "Correct dbname in the secret.", because);
    case 1290:
    case 1792:
    case 1836:
      return new RotationError(
        "unsupported",
        said,
        "The server is read-only: put the writer's host into the secret.",
        because,
      );
    case 1819:
      return new RotationError(
        "database",
        said,
        "The server's password policy refuses the generated password: set PASSWORD_LENGTH and the EXCLUDE_ settings of the function to what the policy wants, then start a new rotation.",
        because,
      );
    default:
      return new RotationError("database", said, "The service tries the rotation again.", because);
  }
}
