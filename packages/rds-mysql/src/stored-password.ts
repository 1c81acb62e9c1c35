import { createHash } from "node:crypto";

/** Plugins whose stored form of a password can be compared with one here. Accounts of others do not log in with a password of the secret. */
export const passwordPlugins = ["caching_sha2_password", "sha256_password", "mysql_native_password"];

/**
 * Whether mysql.user's authentication_string is that of a password.
 *
 * @see https://dev.mysql.com/doc/refman/9.7/en/pluggable-authentication.html
 */
export function isStoredForm(stored: string, password: string): boolean {
  const [, id, thousands = "005", salt = ""] = /^\$(A|5)\$(?:([0-9A-F]{3})\$)?(.{20})\$?.{43}$/s.exec(stored) ?? [];
  if (id === undefined) return stored === nativeHash(password);
  return stored.endsWith(sha256Crypt(password, salt, Number.parseInt(thousands, 16) * 1000));
}

/** What mysql_native_password stores, MySQL's and MariaDB's. */
export function nativeHash(password: string): string {
  const sha1 = (data: string | Buffer) => createHash("sha1").update(data).digest();
  return `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
}

/**
 * SHA-256 crypt, with MySQL's salts of 20 bytes.
 *
 * @see https://www.akkadia.org/drepper/SHA-crypt.txt
 */
function sha256Crypt(password: string, salt: string, rounds: number): string {
  const key = Buffer.from(password);
  const [p, s] = [key, Buffer.from(salt, "latin1")];
  const none = Buffer.alloc(0);
  const sha256 = (...parts: readonly Buffer[]) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const times = (count: number, part: Buffer) => Array.from({ length: count }, () => part);
  const cut = (digest: Buffer, length: number) =>
    Buffer.concat(times(Math.ceil(length / digest.length), digest)).subarray(0, length);
  const b = sha256(p, s, p);
  const bits: Buffer[] = [];
  for (let length = p.length; length > 0; length >>= 1) bits.push(length & 1 ? b : p);
  const a = sha256(p, s, cut(b, p.length), ...bits);
  const pBytes = cut(sha256(...times(p.length, p)), p.length);
  const sBytes = cut(sha256(...times(16 + (a[0] ?? 0), s)), s.length);
  let digest = a;
  for (let round = 0; round < rounds; round++) {
    digest = sha256(
      round & 1 ? pBytes : digest,
      round % 3 ? sBytes : none,
      round % 7 ? pBytes : none,
      round & 1 ? digest : pBytes,
    );
  }
  return cryptBase64(digest);
}

/** The digest's bytes in crypt's order, 6 bits a character, the lowest first. */
function cryptBase64(digest: Buffer): string {
  const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const byte = (index: number) => digest[index] ?? 0;
  const characters = (bits: number, count: number) =>
    Array.from({ length: count }, (_, i) => alphabet[(bits >> (6 * i)) & 63]).join("");
  let text = "";
  for (let i = 0; i < 10; i++) {
    const [x, y, z] = [i * 21, i * 21 + 10, i * 21 + 20].map((index) => index % 30) as [number, number, number];
    text += characters((byte(x) << 16) | (byte(y) << 8) | byte(z), 4);
  }
  return text + characters((byte(31) << 8) | byte(30), 3);
}
