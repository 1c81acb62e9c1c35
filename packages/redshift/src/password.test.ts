import { generatePassword, type RotationError } from "@quarterturn/core";
import { describe, expect, test } from "vitest";
import { manifest } from "./manifest.ts";
import { passwordStatement, redshiftSettings, storedForm } from "./password.ts";

test("the stored form is the documentation's own example", () => {
  expect(storedForm("user1", "ez")).toBe("md5153c434b4b77c89e6b94f12c5393af5b");
});

test("a password statement holds no password, and any name is one name", () => {
  expect(passwordStatement('a"; DROP USER b; --', "Secret-word-1")).toMatch(
    /^ALTER USER "a""; DROP USER b; --" PASSWORD 'md5[0-9a-f]{32}'$/,
  );
});

test("the time of validity is data", () => {
  expect(passwordStatement("a", "b", "'; x\\")).toMatch(/ VALID UNTIL '''; x\\\\'$/);
});

test.for([
  {},
  { PASSWORD_LENGTH: "8" },
  { PASSWORD_LENGTH: "64", EXCLUDE_CHARACTERS: "" },
  { EXCLUDE_PUNCTUATION: "true", REQUIRE_EACH_INCLUDED_TYPE: "false", PASSWORD_LENGTH: "8" },
  { EXCLUDE_CHARACTERS: "abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOPQRSTUVWXY012345678" },
])("a thousand passwords under %o meet Redshift's rules", (env) => {
  const { password } = redshiftSettings(env);
  for (let n = 0; n < 1_000; n++) {
    const made = generatePassword(password);
    expect(made).toMatch(/^(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[!-~]{8,64}$/);
    expect(made).not.toMatch(/['"\\/@ ]/);
  }
});

describe("what the manifest says of a setting's values is what is taken:", () => {
  const takes = (name: string, value: string) => {
    try {
      return redshiftSettings({ [name]: value }) !== undefined;
    } catch (error) {
      if ((error as RotationError).code !== "bad-setting") throw error;
      return false;
    }
  };
  const narrowed = manifest.settings.filter(({ name }) => /^(PASSWORD|EXCLUDE)_/.test(name));

  test("PASSWORD_LENGTH and three classes are narrower than other engines'", () => {
    expect(narrowed.map(({ name }) => name)).toEqual([
      "PASSWORD_LENGTH",
      "EXCLUDE_NUMBERS",
      "EXCLUDE_UPPERCASE",
      "EXCLUDE_LOWERCASE",
    ]);
  });

  test.for(narrowed)("$name", ({ name, limits, values }) => {
    if (limits) {
      for (const length of [limits.min, limits.max]) expect(takes(name, String(length))).toBe(true);
      for (const length of [limits.min - 1, limits.max + 1]) expect(takes(name, String(length))).toBe(false);
    } else for (const value of ["true", "false"]) expect(takes(name, value)).toBe(values?.includes(value));
  });
});

test.for([
  [{ EXCLUDE_UPPERCASE: "true" }, "an upper-case letter"],
  [{ EXCLUDE_LOWERCASE: "true" }, "a lower-case letter"],
  [{ EXCLUDE_NUMBERS: "true" }, "a digit"],
  [{ EXCLUDE_CHARACTERS: "0123456789" }, "a digit"],
  [{ PASSWORD_LENGTH: "7" }, "8 to 64 characters"],
  [{ PASSWORD_LENGTH: "65" }, "8 to 64 characters"],
  [{ EXCLUDE_UPPERCASE: "true", EXCLUDE_NUMBERS: "true" }, "an upper-case letter and a digit"],
] as const)("settings %o allow no password of Redshift's", ([env, missing]) => {
  expect(() => redshiftSettings(env)).toThrow(
    expect.objectContaining({ code: "bad-setting", message: expect.stringContaining(missing) }) as RotationError,
  );
});
