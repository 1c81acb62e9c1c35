import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RotationError } from "./errors.ts";
import { generatePassword, passwordSettings } from "./password.ts";

const settings = (env: Record<string, string> = {}) => passwordSettings(env, ":/@\"'\\");

describe("a generated password", () => {
  test("has AWS's defaults: 32 characters of all four classes, without the engine's excluded ones", () => {
    for (let i = 0; i < 200; i++) {
      const password = generatePassword(settings());
      expect(password).toHaveLength(32);
      expect(password).toMatch(/\d/);
      expect(password).toMatch(/[a-z]/);
      expect(password).toMatch(/[A-Z]/);
      expect(password).toMatch(/[!-/:-@[-`{-~]/);
      expect(password).not.toMatch(/[:/@"'\\]/);
    }
  });

  test("obeys every combination of the knobs, or is refused as impossible", () => {
    fc.assert(
      fc.property(
        fc.record({
          length: fc.integer({ min: 1, max: 60 }),
          excludeCharacters: fc.string({ unit: "grapheme-ascii", maxLength: 90 }),
          excludeNumbers: fc.boolean(),
          excludePunctuation: fc.boolean(),
          excludeUppercase: fc.boolean(),
          excludeLowercase: fc.boolean(),
          requireEachIncludedType: fc.boolean(),
        }),
        (knobs) => {
          const classes = [
            knobs.excludeNumbers ? /(?!)/ : /\d/,
            knobs.excludeLowercase ? /(?!)/ : /[a-z]/,
            knobs.excludeUppercase ? /(?!)/ : /[A-Z]/,
            knobs.excludePunctuation ? /(?!)/ : /[!-/:-@[-`{-~]/,
          ];
          const all = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter(
            (c) => !knobs.excludeCharacters.includes(c),
          );
          const possible = classes.filter((each) => all.some((c) => each.test(c)));
          const isPossible = possible.length > 0 && (!knobs.requireEachIncludedType || knobs.length >= possible.length);
          if (!isPossible) {
            expect(() => generatePassword(knobs)).toThrow(RotationError);
            return;
          }
          const password = generatePassword(knobs);
          expect(password).toHaveLength(knobs.length);
          for (const c of password) {
            expect(knobs.excludeCharacters).not.toContain(c);
            expect(possible.some((each) => each.test(c))).toBe(true);
          }
          if (knobs.requireEachIncludedType) for (const each of possible) expect(password).toMatch(each);
        },
      ),
    );
  });

  test("is unbiased: every password of two classes comes as often as every other", () => {
    const count = new Map<string, number>();
    const knobs = {
      ...settings(),
      length: 2,
      excludePunctuation: true,
      excludeUppercase: true,
      excludeCharacters: "23456789cdefghijklmnopqrstuvwxyz",
    };
    const draws = 16_000;
    for (let i = 0; i < draws; i++) {
      const password = generatePassword(knobs);
      count.set(password, (count.get(password) ?? 0) + 1);
    }
    // 0 and 1, a and b: eight passwords that have both classes. The bound is more than ten standard deviations wide.
    expect(count.size).toBe(8);
    for (const times of count.values()) expect(Math.abs(times - draws / 8)).toBeLessThan(450);
  });

  test("EXCLUDE_CHARACTERS replaces the engine's, also by nothing", () => {
    expect(settings({ EXCLUDE_CHARACTERS: "" }).excludeCharacters).toBe("");
    expect(settings({ EXCLUDE_CHARACTERS: "abc" }).excludeCharacters).toBe("abc");
  });
});
