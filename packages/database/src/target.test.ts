import { expect, test } from "vitest";
import { requireSameTarget } from "./target.ts";

const current = {
  host: "db.example",
  port: 1,
  username: "app",
  password: "p",
  userKeys: { authSource: "a" },
  ssl: true,
};

test("a version of the same user at the same server is accepted, whatever its password and the case of its host", () => {
  requireSameTarget(current, { ...current, host: "DB.Example", password: "q" }, "The pending version", "app");
});

for (const [what, difference, words] of [
  ["another host", { host: "other.example" }, /the server \(other\.example:1 instead of db\.example:1\)/],
  ["another port", { port: 2 }, /the server/],
  ["another user", { username: "boss" }, /the user \("boss" instead of "app"\)/],
  ["a user of another authentication database", { userKeys: { authSource: "b" } }, /differ in authSource\./],
  ["a user without one", { userKeys: {} }, /differ in authSource\./],
] as const) {
  test(`${what} is refused (promise 4)`, () => {
    expect(() => requireSameTarget(current, { ...current, ...difference }, "AWSPREVIOUS", "app")).toThrow(
      expect.objectContaining({ code: "wrong-target", message: expect.stringMatching(words) }),
    );
  });
}
