import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import saslprep from "@mongodb-js/saslprep";

/** The ways to log in with a password that MongoDB and DocumentDB know. */
export const mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-1"] as const;
export type Mechanism = (typeof mechanisms)[number];

/** The client's part of one login. Its messages prove the password and do not hold it. */
export interface ScramClient {
  readonly first: string;
  /** @throws Error for an answer that is not SCRAM's, or that would make the password easy to guess */
  final(serverFirst: string): Promise<string>;
  /** Whether the server has proved that it knows the user's password; only after `final`. */
  isProof(serverFinal: string): boolean;
}

/** Fewer than RFC 7677 demands would let whoever sees the proof try passwords quickly. */
const fewestIterations = 4_096;

/**
 * SCRAM as MongoDB has it: with SHA-1 the password is a digest of name and password.
 *
 * @param nonce not for use, but for the vectors of the specifications
 * @see https://github.com/mongodb/specifications/blob/master/source/auth/auth.md
 * @see https://www.rfc-editor.org/rfc/rfc5802, https://www.rfc-editor.org/rfc/rfc7677
 */
export function scramClient(
  mechanism: Mechanism,
  { username, password }: { readonly username: string; readonly password: string },
  nonce = randomBytes(24).toString("base64"),
): ScramClient {
  const hash = mechanism === "SCRAM-SHA-256" ? "sha256" : "sha1";
  const digest = (data: Buffer) => createHash(hash).update(data).digest();
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
  const firstBare = `n=${username.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
  let serverSignature: Buffer | undefined;

  return {
    first: `n,,${firstBare}`,

    async final(serverFirst) {
      const { r = "", s = "", i = "" } = attributesOf(serverFirst);
      const iterations = Number(i);
      if (!r.startsWith(nonce) || r === nonce || s === "") throw new Error("the server's answer is not SCRAM's");
      if (!(iterations >= fewestIterations))
        throw new Error(`the server wants ${i} iterations, fewer than ${fewestIterations}`);
      const secret = mechanism === "SCRAM-SHA-256" ? prepared(password) : mongoDigest(username, password);
      const salted = await promisify(pbkdf2)(
        secret,
        Buffer.from(s, "base64"),
        iterations,
        digest(Buffer.of()).length,
        hash,
      );
      const clientKey = hmac(salted, "Client Key");
      const withoutProof = `c=biws,r=${r}`;
      const authMessage = [firstBare, serverFirst, withoutProof].join();
      const signature = hmac(digest(clientKey), authMessage);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
      serverSignature = hmac(hmac(salted, "Server Key"), authMessage);
      return `${withoutProof},p=${proof.toString("base64")}`;
    },

    isProof(serverFinal) {
      const given = Buffer.from(attributesOf(serverFinal).v ?? "", "base64");
      return serverSignature?.length === given.length && timingSafeEqual(serverSignature, given);
    },
  };
}

/** `r=…,s=…,i=…`; a value may hold equals signs. */
function attributesOf(message: string): Readonly<Record<string, string>> {
  return Object.fromEntries(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

/** A server stores no password that SASLprep prohibits: it is sent as it is, and refused. */
function prepared(password: string): string {
  try {
    return saslprep(password);
  } catch {
    return password;
  }
}

function mongoDigest(username: string, password: string): string {
  return createHash("md5").update(`${username}:mongo:${password}`).digest("hex");
}
