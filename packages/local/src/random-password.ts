import { randomInt } from "node:crypto";
import { invalidParameter } from "./errors.ts";
import type { Input } from "./input.ts";

const LOWERCASE = "abcdefghijklmnopqrstuvwxyz";
const UPPERCASE = LOWERCASE.toUpperCase();
const NUMBERS = "0123456789";
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html */
export function randomPassword(input: Input<"GetRandomPassword">): string {
  const length = input.PasswordLength ?? 32;
  const types = [
    input.ExcludeLowercase ? "" : LOWERCASE,
    input.ExcludeUppercase ? "" : UPPERCASE,
    input.ExcludeNumbers ? "" : NUMBERS,
    input.ExcludePunctuation ? "" : PUNCTUATION,
    input.IncludeSpace ? " " : "",
  ]
    .map((type) => [...type].filter((character) => !input.ExcludeCharacters?.includes(character)).join(""))
    .filter((type) => type !== "");
  if (types.length === 0) throw invalidParameter("The exclusions leave no character for the password.");
  const required = input.RequireEachIncludedType === false ? [] : types;
  if (length < required.length) {
    throw invalidParameter(
      `The password length ${length} is too short for one character of each of the ${required.length} included types.`,
    );
  }
  const all = types.join("");
  const characters = Array.from({ length }, (_, index) => pick(required[index] ?? all));
  return shuffled(characters).join("");
}

const pick = (characters: string) => characters.charAt(randomInt(characters.length));

function shuffled(characters: readonly string[]): string[] {
  return characters.reduce<string[]>((mixed, character, index) => {
    const place = randomInt(index + 1);
    mixed[index] = mixed[place] ?? character;
    mixed[place] = character;
    return mixed;
  }, []);
}
