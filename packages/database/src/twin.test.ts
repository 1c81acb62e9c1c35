import fc from "fast-check";
import { expect, test } from "vitest";
import { otherOfPair, pairOf } from "./twin.ts";

const manifest = {
  name: "rds-example",
  title: "Example",
  engines: ["x"],
  port: 1,
  excludeCharacters: "",
  settings: [],
  verifiedAgainst: [],
  usernameLimit: 63,
};

test("the pair of a user, as AWS's functions name it", () => {
  expect(pairOf("app")).toEqual({ original: "app", twin: "app_clone", pending: "twin" });
  expect(pairOf("app_clone")).toEqual({ original: "app", twin: "app_clone", pending: "original" });
});

test("the other of the other is the user itself", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20 }), (name) => {
      fc.pre(!name.endsWith("_clone"));
      expect(otherOfPair(otherOfPair(name, manifest), manifest)).toBe(name);
    }),
  );
});

test("a twin's name that the engine would cut off is refused; the limit counts bytes", () => {
  expect(otherOfPair("x".repeat(57), manifest)).toHaveLength(63);
  expect(() => otherOfPair("x".repeat(58), manifest)).toThrow(/would have a name of 64 bytes, and Example allows 63/);
  expect(() => otherOfPair("ü".repeat(29), manifest)).toThrow(/64 bytes/);
  expect(otherOfPair(`${"x".repeat(58)}_clone`, manifest)).toHaveLength(58);
});

test("a name that is nothing but the suffix is nobody's twin", () => {
  expect(() => otherOfPair("_clone", manifest)).toThrow(/nobody's twin/);
});
