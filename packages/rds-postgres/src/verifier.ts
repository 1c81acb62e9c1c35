import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

import { RotationError } from "@quarterturn/core";

/** How the server stores passwords: its `password_encryption`. */
export type PasswordEncryption = "scram-sha-256" | "md5";

/**
 * What the server would store for a password, computed here: the server takes it in place of the password, and its logs, statement views
 * and audit extensions then never hold that. A SCRAM verifier logs nobody in; an md5 form does, to whoever knows how to use it.
 *
 * @param password printable ASCII; any other would have to be normalised (SASLprep) as the server does it
 * @see https://www.rfc-editor.org/rfc/rfc5803 and https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
export function passwordVerifier(
  username: string,
  password: string,
  encryption: PasswordEncryption,
  salt: Buffer = randomBytes(16),
): string {
  if (encryption === "md5") return `md5${createHash("md5").update(password).update(username).digest("hex")}`;
  const iterations = 4096;
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${keyed("Server Key").toString("base64")}`;
}

/**
 * What is sent for a password: its verifier; or the password itself where it is not ASCII, which the server normalises in its own way
 * (generated passwords are ASCII).
 */
export function sentForm(username: string, password: string, encryption: PasswordEncryption): string {
  return /^[\x20-\x7e]*$/.test(password) ? passwordVerifier(username, password, encryption) : password;
}

/** The password as it is. @throws RotationError `bad-secret` where the server would take it for a verifier, and it would never log in */
export function sentAsIs(password: string): string {
  if (!/^(md5[0-9a-f]{32}$|SCRAM-SHA-256\$)/i.test(password)) return password;
  throw new RotationError(
    "bad-secret",
    "The pending password looks like a verifier, and the server would store it as one",
    "This try changed nothing. Store another password as the pending version, or leave PASSWORD_VERIFIER on.",
  );
}
