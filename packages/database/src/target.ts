import { RotationError } from "@quarterturn/core";
import type { DatabaseSecret } from "./secret.ts";

/** `host:port`, for messages. */
export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `host:port (as "user")`, for messages. */
export function whereOf(login: { readonly host: string; readonly port: number; readonly username: string }): string {
  return `${addressOf(login)} (as "${login.username}")`;
}

/** Whether two secrets name the same host and port; host names are compared without regard to case. */
export function isSameServer(a: { host: string; port: number }, b: { host: string; port: number }): boolean {
  return a.host.toLowerCase() === b.host.toLowerCase() && a.port === b.port;
}

/**
 * Refuses a version that is not a successor (or predecessor) of AWSCURRENT: a rotation changes the password of exactly that user on
 * exactly that server.
 *
 * @param username the user that the other version must name
 * @throws RotationError `wrong-target`
 */
export function requireSameTarget(
  current: DatabaseSecret,
  other: DatabaseSecret,
  version: string,
  username: string,
): void {
  const differences = [
    ...(isSameServer(current, other) ? [] : [`the server (${addressOf(other)} instead of ${addressOf(current)})`]),
    ...(other.username === username ? [] : [`the user ("${other.username}" instead of "${username}")`]),
    ...Object.keys({ ...current.userKeys, ...other.userKeys }).filter(
      (key) => current.userKeys[key] !== other.userKeys[key],
    ),
  ];
  if (differences.length === 0) return;
  throw new RotationError(
    "wrong-target",
    `${version} and AWSCURRENT differ in ${differences.join(" and ")}`,
    "This try changed nothing. See which version's credentials the database accepts, and make that version AWSCURRENT or store its value with PutSecretValue, which ends this rotation; then start a new one.",
  );
}
