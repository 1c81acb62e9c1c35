import { randomInt } from "node:crypto";
import { RotationError } from "./errors.ts";
import { booleanSetting, type Environment, integerSetting } from "./settings.ts";

/**
 * The knobs of a generated password, with the names and defaults that AWS's rotation functions have.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
 */
export interface PasswordSettings {
  /** Number of characters, 1 to 4096. */
  readonly length: number;
  /** Characters that are never used. */
  readonly excludeCharacters: string;
  readonly excludeNumbers: boolean;
  readonly excludePunctuation: boolean;
  readonly excludeUppercase: boolean;
  readonly excludeLowercase: boolean;
  /** At least one character of each class that is not excluded. */
  readonly requireEachIncludedType: boolean;
}

/** What PASSWORD_LENGTH takes, as GetRandomPassword does. */
export const passwordLengths = { min: 1, max: 4096 };

/** Reads PASSWORD_LENGTH, EXCLUDE_CHARACTERS and the other knobs. @throws RotationError `bad-setting` */
export function passwordSettings(env: Environment, excludeCharacters: string): PasswordSettings {
  return {
    length: integerSetting(env, "PASSWORD_LENGTH", 32, passwordLengths),
    excludeCharacters: env.EXCLUDE_CHARACTERS ?? excludeCharacters,
    excludeNumbers: booleanSetting(env, "EXCLUDE_NUMBERS", false),
    excludePunctuation: booleanSetting(env, "EXCLUDE_PUNCTUATION", false),
    excludeUppercase: booleanSetting(env, "EXCLUDE_UPPERCASE", false),
    excludeLowercase: booleanSetting(env, "EXCLUDE_LOWERCASE", false),
    requireEachIncludedType: booleanSetting(env, "REQUIRE_EACH_INCLUDED_TYPE", true),
  };
}

/**
 * A password from the operating system's random numbers, every permitted password equally likely: where a class is missing, all of it
 * is drawn again, since repairing it would favour some passwords.
 *
 * @throws RotationError `bad-setting` where the knobs permit no password
 */
export function generatePassword(settings: PasswordSettings): string {
  const allowed = (characters: string, isExcluded: boolean) =>
    isExcluded ? "" : [...characters].filter((character) => !settings.excludeCharacters.includes(character)).join("");
  const classes = [
    allowed("0123456789", settings.excludeNumbers),
    allowed("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", settings.excludePunctuation),
    allowed("ABCDEFGHIJKLMNOPQRSTUVWXYZ", settings.excludeUppercase),
    allowed("abcdefghijklmnopqrstuvwxyz", settings.excludeLowercase),
  ].filter((characters) => characters !== "");
  const alphabet = classes.join("");
  if (alphabet === "") throw impossible("every character is excluded");
  if (settings.requireEachIncludedType && settings.length < classes.length) {
    throw impossible(`PASSWORD_LENGTH is ${settings.length} and ${classes.length} classes of characters are required`);
  }
  for (;;) {
    const password = Array.from({ length: settings.length }, () => alphabet[randomInt(alphabet.length)]).join("");
    const hasEach = classes.every((characters) => [...characters].some((character) => password.includes(character)));
    if (hasEach || !settings.requireEachIncludedType) return password;
  }
}

function impossible(why: string): RotationError {
  return new RotationError(
    "bad-setting",
    `No password can be made: ${why}`,
    "Change PASSWORD_LENGTH, EXCLUDE_CHARACTERS or the other EXCLUDE_ settings of the function.",
  );
}
