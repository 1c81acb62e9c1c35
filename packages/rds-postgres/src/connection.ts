import { RotationError } from "@quarterturn/core";
import type { EngineContext, Login } from "@quarterturn/database";
import * as wire from "@quarterturn/pg-wire";

const product: wire.Product = {
  name: "PostgreSQL",
  isPipelined: false,
  isWrongPassword: ({ code }) => code === "28P01",
  adviceOnRefusal: ({ tls }) =>
    `The server's rules refuse this user before any password: give it LOGIN, or an entry in pg_hba.conf for this host, user, database and ${tls ? "TLS" : "plaintext (or turn the secret's ssl on)"}.`,
  adviceOnAuthentication:
    "This login changed nothing. Give the user an entry in pg_hba.conf that asks for scram-sha-256 or md5.",
};

/** An open connection, or `rejected` where the server refused the name or the password. @throws RotationError */
export function connect(login: Login, context: EngineContext): Promise<wire.Connection | "rejected"> {
  return wire.connect(login, product, context);
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
    if (hasNoRoom(error) || ["42501", "3D000"].includes(wire.causeOf(error)?.code ?? "")) return true;
    throw error;
  }
}

/**
 * Whether a login ended at a limit that the server looks at after the password: the user's, the database's, or what is left beside the
 * connections that are kept for superusers.
 */
export function hasNoRoom(error: unknown): boolean {
  const { code, routine } = wire.causeOf(error) ?? {};
  return code === "53300" && ["InitializeSessionUserId", "InitPostgres", "CheckMyDatabase"].includes(routine ?? "");
}

/** The error of a statement, with what an operator can do about it. */
export function statementError(
  error: unknown,
  where: string,
  doing: string,
  remedy: string | undefined,
): RotationError {
  const said = wire.statementError(error, where, doing, remedy);
  // A standby refuses BEGIN READ WRITE as a feature that it does not have.
  if (!["25006", "0A000"].includes(wire.causeOf(said)?.code ?? "")) return said;
  return new RotationError(
    "unsupported",
    said.what,
    "The server is read-only: put the writer's host into the secret.",
    { cause: error },
  );
}
