import fc from "fast-check";
import { expect, it } from "vitest";
import { start } from "../test/endpoint.ts";
import { randomPassword } from "./random-password.ts";

it("answers GetRandomPassword with 32 characters by default", async () => {
  const { sm } = await start();
  expect((await sm.getRandomPassword({})).RandomPassword).toMatch(/^[\x21-\x7e]{32}$/);
});

it("keeps length, exclusions and required types, whatever is asked for", () => {
  const request = fc.record({
    PasswordLength: fc.integer({ min: 5, max: 64 }),
    ExcludeCharacters: fc.string({ unit: fc.constantFrom("a", "B", "0", "'", "\\", "]", "^", "-"), maxLength: 8 }),
    ExcludeNumbers: fc.boolean(),
    ExcludePunctuation: fc.boolean(),
    ExcludeUppercase: fc.boolean(),
    ExcludeLowercase: fc.constant(false),
    IncludeSpace: fc.boolean(),
  });
  fc.assert(
    fc.property(request, (input) => {
      const password = randomPassword(input);
      expect(password).toHaveLength(input.PasswordLength);
      expect([...password].filter((character) => input.ExcludeCharacters.includes(character))).toEqual([]);
      expect(/\d/.test(password)).toBe(!input.ExcludeNumbers);
      expect(/[^A-Za-z0-9 ]/.test(password)).toBe(!input.ExcludePunctuation);
      expect(/[A-Z]/.test(password)).toBe(!input.ExcludeUppercase);
      expect(/[a-z]/.test(password)).toBe(true);
      expect(password.includes(" ")).toBe(input.IncludeSpace);
    }),
  );
});

it("leaves types out if they are not required", () => {
  const passwords = Array.from({ length: 50 }, () =>
    randomPassword({ PasswordLength: 1, RequireEachIncludedType: false }),
  );
  expect(passwords.join("")).toHaveLength(50);
});

it.each([
  [{ PasswordLength: 3 }, /too short/],
  [{ ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true }, /no character/],
])("refuses %j", async (input, message) => {
  const { sm } = await start();
  await expect(sm.getRandomPassword(input)).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: expect.stringMatching(message),
  });
});

it.each([0, 4097])("refuses a length of %i", async (PasswordLength) => {
  const { sm } = await start();
  await expect(sm.getRandomPassword({ PasswordLength })).rejects.toMatchObject({ name: "ValidationException" });
});
