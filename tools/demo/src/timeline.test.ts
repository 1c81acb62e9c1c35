import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Attempt } from "./application.ts";
import type { RotationRecord } from "./rotation.ts";
import { timeline } from "./timeline.ts";

const old = "0d0d0d0d-0000-4000-8000-000000000000";
const current = "c1c1c1c1-0000-4000-8000-000000000000";
const pending = "9e9e9e9e-0000-4000-8000-000000000000";
const before = { [current]: ["AWSPENDING", "AWSCURRENT"], [old]: ["AWSPREVIOUS"] };
const requested = { [pending]: ["AWSPENDING"], [current]: ["AWSCURRENT"], [old]: ["AWSPREVIOUS"] };
const after = { [pending]: ["AWSPENDING", "AWSCURRENT"], [current]: ["AWSPREVIOUS"] };

const attempts: Attempt[] = Array.from({ length: 1000 }, (_, index) => ({
  startedAt: 10_000 + 10 * index,
  endedAt: 10_009 + 10 * index,
  username: "checkout_clone",
  outcome: index === 800 || index === 805 ? "refused" : "accepted",
}));

const record: RotationRecord = {
  chapter: { strategy: "multi-user", window: "none" },
  before,
  requested,
  steps: [
    { name: "setSecret", startedAt: 17_000, endedAt: 18_000, labels: requested, apiCalls: ["GetSecretValue"] },
    { name: "finishSecret", startedAt: 18_000, endedAt: 18_345, labels: after, apiCalls: ["DescribeSecret"] },
  ],
  attempts,
  logins: [
    { time: 17_500, outcome: "accepted", by: "function" },
    { time: 17_600, outcome: "accepted", by: "application" },
  ],
};

const lines = (of: RotationRecord) => stripVTControlCharacters(timeline(of)).split("\n");
const lineOf = (name: string, of = record) => lines(of).find((line) => line.startsWith(`  ${name}`));

test("no line is longer than 80 columns", () => {
  expect(Math.max(...lines(record).map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("versions stand from old to new, with their labels in each row", () => {
  expect(lineOf("version")).toMatch(/ 0d0d0d0d +c1c1c1c1 +9e9e9e9e /);
  expect(lineOf("before")).toMatch(/AWSPREVIOUS AWSCURRENT$/);
  expect(lineOf("RotateSecret")).toMatch(/AWSPREVIOUS AWSCURRENT +AWSPENDING$/);
  const last = lines(record).findIndex((line) => line.startsWith("  finishSecret"));
  expect(lines(record)[last]).toMatch(/345 ms {14}AWSPREVIOUS AWSCURRENT /);
  expect(lines(record)[last + 1]?.indexOf("AWSPENDING")).toBe(lines(record)[last]?.indexOf("AWSCURRENT"));
});

test("a step has its own calls, logins and refused logins, and no others", () => {
  expect(lineOf("setSecret")).toMatch(/ 1000 ms .* 1 +1 +0$/);
  expect(lineOf("finishSecret")).toMatch(/ 1 +0 +2$/);
});

test("a step that is running has no figures yet", () => {
  const running = { ...record, steps: [{ name: "setSecret" as const, startedAt: 17_000, apiCalls: [] }] };
  expect(lineOf("setSecret", running)).toBe("  setSecret        ...");
});

test("the application's latest logins are drawn, with a cross for refused ones", () => {
  expect(lineOf("application")).toMatch(/^ {2}application +█+×+█+$/);
  expect(lines(record).at(-1)?.trim()).toBe("1000 logins, 2 refused within 69 ms; logs in as checkout_clone");
});

test("the drawing says what a cell is", () => {
  expect(lines(record).at(-2)?.trim()).toBe("each 50 ms: bar = logins, × = refused, · = one under way");
});

test("a login that takes longer than a cell makes the cells longer, not empty", () => {
  const slow = Array.from({ length: 20 }, (_, index): Attempt => {
    const startedAt = 10_000 + 130 * index;
    return { startedAt, endedAt: startedAt + 130, username: "checkout", outcome: "accepted" };
  });
  expect(lineOf("application", { ...record, attempts: slow })).toMatch(/^ {2}application +[▁▂▃▄▅▆▇█]+$/);
  expect(lines({ ...record, attempts: slow }).at(-2)).toContain("each 500 ms:");
});

test("a single slow login is under way and no outage", () => {
  const slow = attempts.map((each, index) => (index < 990 ? each : { ...each, endedAt: each.endedAt + 300 }));
  expect(lineOf("application", { ...record, attempts: slow })).toMatch(/[▁▂▃▄▅▆▇█]·+[▁▂▃▄▅▆▇█]+$/);
});
