import { expect, test } from "vitest";
import { longLines, numbersOf, rowOf, runDemo } from "./run-demo.ts";

test("the template's example: a key and two users, and no request is refused", { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await runDemo(["--engine", "template"]);
  expect(stderr).toBe("");
  expect(code, stdout).toBe(0);
  expect(longLines(stdout)).toEqual([]);
  expect(stdout).not.toMatch(/postgres|the database|login|logs in/i);
  expect(rowOf(stdout, "promise")).toEqual(["kept", "kept", "kept"]);
  expect(numbersOf(stdout, "  of these refused")).toEqual([0, 0, 0]);
  expect(numbersOf(stdout, "  of these failed")).toEqual([0, 0, 0]);
  expect(numbersOf(stdout, "function's requests").every((count) => count > 0)).toBe(true);
});
