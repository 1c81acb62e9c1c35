import { expect, it } from "vitest";
import { covered } from "./statistics.ts";

const spans = (...ends: readonly (readonly [number, number])[]) =>
  ends.map(([startTime, end]) => ({ startTime, duration: end - startTime }));

it.for([
  ["nothing", spans(), 0],
  ["spans apart", spans([0, 2], [5, 6]), 3],
  ["spans that overlap", spans([0, 4], [3, 6]), 6],
  ["a span within another, in any order", spans([1, 2], [0, 9], [8, 10]), 10],
] as const)("time is counted once: %s", ([, of, expected]) => {
  expect(covered(of)).toBe(expected);
});
