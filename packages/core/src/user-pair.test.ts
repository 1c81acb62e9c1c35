import fc from "fast-check";
import { expect, test } from "vitest";
import { otherOfPair, pairOf } from "./user-pair.ts";

const limits = { title: "Example", usernameLimit: 63 };

test("the pair of a user, as AWS's functions name it", () => {
  expect(pairOf("app")).toEqual({ original: "app", twin: "app_clone", pending: "twin" });
  expect(pairOf("app_clone")).toEqual({ original: "app", twin: "app_clone", pending: "original" });
});

test("the other of the other is the user itself", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20 }), (name) => {
      fc.pre(!name.endsWith("_clone"));
      expect(otherOfPair(otherOfPair(name, limits), limits)).toBe(name);
    }),
  );
});

test("a twin's name that the engine would cut off is refused; the limit counts bytes", () => {
  expect(otherOfPair("x".repeat(57), limits)).toHaveLength(63);
  expect(() => otherOfPair("x".repeat(58), limits)).toThrow(/would have a name of 64 bytes, and Example allows 63/);
  expect(() => otherOfPair("ü".repeat(29), limits)).toThrow(/64 bytes/);
  expect(otherOfPair("x".repeat(58))).toHaveLength(64);
  expect(otherOfPair(`${"x".repeat(58)}_clone`, limits)).toHaveLength(58);
});

test("a name that is nothing but the suffix is nobody's twin", () => {
  expect(() => otherOfPair("_clone")).toThrow(/nobody's twin/);
});
