import { createHash } from "node:crypto";
import { type Environment, passwordSettings, RotationError } from "@quarterturn/core";
import { type DatabaseSettings, databaseSettings } from "@quarterturn/database";
import { redshiftPasswordLengths as lengths, manifest } from "./manifest.ts";
import { identifier, literal } from "./sql.ts";

/**
 * A password as Redshift stores one that it is given in clear: the server's log then never holds the password itself. It would take a salted
 * SHA-256 digest too, but then asks for a kind of login that node-postgres, libpq and whatever is built on them do not know (type 13).
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
 */
export function storedForm(username: string, password: string): string {
  return `md5${createHash("md5").update(password).update(username).digest("hex")}`;
}

/**
 * The statement that sets a password. It takes no parameters.
 *
 * @param validUntil when the password ends to be valid, as the catalogue shows it; absent: that stays as it is
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_USER.html
 */
export function passwordStatement(username: string, password: string, validUntil?: string): string {
  const until = validUntil === undefined ? "" : ` VALID UNTIL ${literal(validUntil)}`;
  return `ALTER USER ${identifier(username)} PASSWORD ${literal(storedForm(username, password))}${until}`;
}

/** What Redshift refuses in a password given in clear. */
const forbidden = "'\"\\/@ ";

/**
 * The settings of both strategies. Every generated password meets Redshift's rules (8 to 64 characters, an upper-case and a lower-case letter,
 * a digit, and none of `' " \ / @` and space), so that REQUIRE_EACH_INCLUDED_TYPE=false changes nothing.
 *
 * @throws RotationError `bad-setting` where the settings allow no such password
 */
export function redshiftSettings(env: Environment): DatabaseSettings {
  const wished = passwordSettings(env, manifest.excludeCharacters);
  const password = {
    ...wished,
    excludeCharacters: wished.excludeCharacters + forbidden,
    requireEachIncludedType: true,
  };
  const hasNone = (letters: string) => [...letters].every((each) => password.excludeCharacters.includes(each));
  const missing = [
    ...(password.excludeUppercase || hasNone("ABCDEFGHIJKLMNOPQRSTUVWXYZ") ? ["an upper-case letter"] : []),
    ...(password.excludeLowercase || hasNone("abcdefghijklmnopqrstuvwxyz") ? ["a lower-case letter"] : []),
    ...(password.excludeNumbers || hasNone("0123456789") ? ["a digit"] : []),
    ...(password.length < lengths.min || password.length > lengths.max
      ? [`${lengths.min} to ${lengths.max} characters`]
      : []),
  ];
  if (missing.length === 0) return { ...databaseSettings(env, manifest), password };
  throw new RotationError(
    "bad-setting",
    `Redshift asks for ${missing.join(" and ")} in a password, and the function's settings exclude that`,
    "This try changed nothing. Change PASSWORD_LENGTH, EXCLUDE_CHARACTERS or the other EXCLUDE_ settings of the function.",
  );
}
