import { expect, test } from "vitest";
import { longLines, numbersOf, rowOf, runDemo } from "./run-demo.ts";

test("Redshift, imitated: single-user in its window, multi-user with no refused login", {
  timeout: 90_000,
}, async () => {
  const { code, stdout, stderr } = await runDemo(["--engine", "redshift"]);
  expect(stderr).toBe("");
  expect(code, stdout).toBe(0);
  expect(longLines(stdout)).toEqual([]);
  expect(rowOf(stdout, "promise")).toEqual(["kept", "kept", "kept"]);
  expect(numbersOf(stdout, "  of these refused").slice(1)).toEqual([0, 0]);
  expect(numbersOf(stdout, "  of these failed")).toEqual([0, 0, 0]);
  expect(numbersOf(stdout, "function's logins").every((count) => count >= 2 && count <= 4)).toBe(true);
});
