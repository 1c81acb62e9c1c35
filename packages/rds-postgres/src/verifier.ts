import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** How the server stores passwords: its `password_encryption`. */
export type PasswordEncryption = "scram-sha-256" | "md5";

/**
 * What the server would store for a password, computed here: the server takes it in place of the password, and its logs, statement views
 * and audit extensions then hold nothing that logs in.
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
