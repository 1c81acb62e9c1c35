import { expect, it } from "vitest";
import { type Attempt, refusedWindow } from "./attempt.ts";

const attempts = (outcomes: string): Attempt[] =>
  [...outcomes].map((outcome, index) => ({ at: index * 10, outcome: outcome === "x" ? "refused" : "accepted" }));

it.for([
  ["....", 0],
  [".x..", 10],
  [".xxx.", 30],
  [".x.x.", 30],
  ["x.", 10],
] as const)(
  "the application is refused in %s for %d ms: from the first refused attempt to the next accepted one",
  ([outcomes, ms]) => {
    expect(refusedWindow(attempts(outcomes))).toBe(ms);
  },
);

it("a window that has not ended has no length", () => {
  expect(() => refusedWindow(attempts("..xx"))).toThrow("no end");
});
