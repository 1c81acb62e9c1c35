import type { RotationError } from "@quarterturn/core";

/** The server's own refusal behind an error of mysql2 or of node-postgres. */
interface Refusal {
  /** MySQL's. */
  readonly errno?: number;
  /** PostgreSQL's SQLSTATE. */
  readonly code?: string;
  readonly message?: string;
}

/**
 * Whether a server refused a login for where it comes from: MySQL has no account for this machine's address (1130), PostgreSQL no line of
 * pg_hba.conf, whose name is in the message in every language. The function comes from elsewhere.
 */
export function isOfThisPlace(error: RotationError): boolean {
  const { errno, code, message = "" } = (error.cause ?? {}) as Refusal;
  return errno === 1130 || (code === "28000" && message.includes("pg_hba.conf"));
}
