import { expect, test } from "vitest";
import { windowAfter } from "./rotation-rules.ts";

const rotated = new Date("2030-01-01T00:00:00Z");

test("the next window of a schedule", () => {
  expect(windowAfter({ ScheduleExpression: "cron(0 2 ? * SUN *)", Duration: "3h" }, rotated)).toBe(
    "2030-01-06 02:00 UTC to 2030-01-06 05:00 UTC",
  );
});

test("a schedule that the service has taken and that is not understood here has no window that could be named", () => {
  expect(windowAfter({ ScheduleExpression: "rate(1000 days)" }, rotated)).toBeUndefined();
});
