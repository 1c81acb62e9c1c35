import { expect, test } from "vitest";
import { deadlineOf } from "./deadline.ts";

test("a call that is never answered leaves half of the time to report it and to go on (promise 5)", () => {
  let remaining = 30_000;
  const deadline = deadlineOf(() => remaining);
  const shares: number[] = [];
  for (let call = 0; call < 4; call++) {
    shares.push(deadline.share());
    remaining -= shares.at(-1) ?? 0;
  }
  expect(shares).toEqual([15_000, 7_500, 3_750, 1_875]);
  expect(remaining).toBeGreaterThan(0);
});

test("a call never gets no time at all, which a timer would read as for ever", () => {
  expect(deadlineOf(() => 0).share()).toBe(1);
  expect(deadlineOf(() => -5).share()).toBe(1);
});
