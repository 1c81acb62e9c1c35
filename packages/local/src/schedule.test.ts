import { describe, expect, it } from "vitest";
import { checkRules, daysBetweenRotations, nextWindow } from "./schedule.ts";
import type { RotationRules } from "./state.ts";

/** A Saturday. */
const ROTATED = Date.parse("2026-01-10T05:30:00Z");

const cron = (expression: string): RotationRules => ({ ScheduleExpression: `cron(${expression})` });
const rate = (expression: string): RotationRules => ({ ScheduleExpression: `rate(${expression})` });

function windowAfter(rules: RotationRules): string | undefined {
  const window = nextWindow(rules, ROTATED);
  return (
    window && [window.opensAt, window.closesAt].map((time) => new Date(time).toISOString().slice(0, 16)).join(" - ")
  );
}

describe("the next rotation window", () => {
  it.each([
    [{ AutomaticallyAfterDays: 1 }, "2026-01-11T00:00 - 2026-01-12T00:00"],
    [{ AutomaticallyAfterDays: 30, Duration: "3h" }, "2026-02-09T00:00 - 2026-02-09T03:00"],
    [rate("4 hours"), "2026-01-10T09:00 - 2026-01-10T10:00"],
    [{ ...rate("12 hours"), Duration: "2h" }, "2026-01-10T17:00 - 2026-01-10T19:00"],
    [rate("10 days"), "2026-01-20T00:00 - 2026-01-21T00:00"],
    [rate("1 day"), "2026-01-11T00:00 - 2026-01-12T00:00"],
    [cron("0 8 * * ? *"), "2026-01-10T08:00 - 2026-01-11T00:00"],
    [{ ...cron("0 8 * * ? *"), Duration: "4h" }, "2026-01-10T08:00 - 2026-01-10T12:00"],
    [cron("0 8/8 * * ? *"), "2026-01-10T08:00 - 2026-01-10T09:00"],
    [cron("0 2/10 * * ? *"), "2026-01-10T12:00 - 2026-01-10T13:00"],
    [cron("0 */6 ? * * *"), "2026-01-10T06:00 - 2026-01-10T07:00"],
    [cron("0 16 L * ? *"), "2026-01-31T16:00 - 2026-02-01T00:00"],
    [cron("0 10 15W * ? *"), "2026-01-15T10:00 - 2026-01-16T00:00"],
    [cron("0 8 1/7 * ? *"), "2026-01-15T08:00 - 2026-01-16T00:00"],
    [cron("0 0 ? * SUN#1 *"), "2026-02-01T00:00 - 2026-02-02T00:00"],
    [cron("0 0 ? * 1 *"), "2026-01-11T00:00 - 2026-01-12T00:00"],
    [cron("0 6 ? * 7 *"), "2026-01-10T06:00 - 2026-01-11T00:00"],
    [cron("0 18 ? * MON-FRI *"), "2026-01-12T18:00 - 2026-01-13T00:00"],
    [cron("0 0 ? * 6L *"), "2026-01-30T00:00 - 2026-01-31T00:00"],
    [cron("0 6 ? * L *"), "2026-01-10T06:00 - 2026-01-11T00:00"],
    [cron("0 10 ? FEB,MAY TUE#2 *"), "2026-02-10T10:00 - 2026-02-11T00:00"],
    [cron("0 0 1 1/3 ? *"), "2026-04-01T00:00 - 2026-04-02T00:00"],
  ] satisfies [RotationRules, string][])("%j: %s", (rules, window) => {
    expect(windowAfter(rules)).toBe(window);
    expect(() => checkRules(rules, ROTATED)).not.toThrow();
  });

  it("is none without a schedule", () => {
    expect(nextWindow({}, ROTATED)).toBeUndefined();
    expect(nextWindow({ Duration: "3h" }, ROTATED)).toBeUndefined();
  });
});

describe("rules that are refused", () => {
  it.each([
    [{ AutomaticallyAfterDays: 1, ...rate("1 day") }, /both rotation frequency and schedule expression/],
    [rate("3 hours"), /four hours/],
    [rate("0 days"), /between 4 hours and 999 days/],
    [rate("1000 days"), /between 4 hours and 999 days/],
    [rate("2 weeks"), /neither rate/],
    [{ ScheduleExpression: "at(2026-01-01)" }, /neither rate/],
    [cron("5 8 * * ? *"), /minutes must be 0/],
    [cron("0 8 * * ? 2026"), /year must be \*/],
    [cron("0 8 * * *"), /six fields/],
    [cron("0 8 * * * *"), /must be \?/],
    [cron("0 8 ? * ? *"), /must be \?/],
    [cron("0 25 * * ? *"), /isn't valid/],
    [cron("0 8 30 2 ? *"), /never comes due/],
    [cron("0 */3 * * ? *"), /four hours/],
    [cron("0 1,3 * * ? *"), /four hours/],
    [{ ...cron("0 20 * * ? *"), Duration: "5h" }, /next UTC day/],
    [{ ...rate("4 hours"), Duration: "5h" }, /next rotation window/],
    [{ ...rate("2 days"), Duration: "25h" }, /next UTC day/],
  ] satisfies [RotationRules, RegExp][])("%j", (rules, reason) => {
    expect(() => checkRules(rules, ROTATED)).toThrow(
      expect.objectContaining({ code: "InvalidParameterException", message: expect.stringMatching(reason) }),
    );
  });
});

it.each([
  [rate("10 hours"), 1],
  [rate("10 days"), 10],
  [cron("0 8 ? * MON *"), 7],
  [{ AutomaticallyAfterDays: 30 }, 30],
] satisfies [RotationRules, number][])("shows %j as %i days between rotations", (rules, days) => {
  expect(daysBetweenRotations(rules, ROTATED)).toBe(days);
});
