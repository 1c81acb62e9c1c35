import { expect, test } from "vitest";
import { longLines, numbersOf, rowOf, runDemo } from "./run-demo.ts";

const { TMPDIR } = process.env;

test("MariaDB: one password, so logins are refused, in the window only", { timeout: 90_000 }, async () => {
  const { code, stdout, stderr } = await runDemo(["--engine", "mariadb"], { TMPDIR });
  expect(stderr).toBe("");
  expect(code, stdout).toBe(0);
  expect(longLines(stdout)).toEqual([]);
  expect(stdout).not.toMatch(/postgres/i);
  expect(rowOf(stdout, "promise")).toEqual(["kept"]);
  expect(stdout).toMatch(/^ {2}single-user promises +refused logins only between setSecret and finishSecret$/m);
  expect(stdout).not.toContain("multi-user promises");
  const [refused = 0] = numbersOf(stdout, "  of these refused");
  const [window = 0] = numbersOf(stdout, "refused-login window");
  expect(window > 0).toBe(refused > 0);
  expect(numbersOf(stdout, "Secrets Manager calls")).toEqual([8]);
  expect(numbersOf(stdout, "  of these failed")).toEqual([0]);
});
