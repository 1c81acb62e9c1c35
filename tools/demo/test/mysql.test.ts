import { connect } from "node:net";
import { expect, test } from "vitest";
import { longLines, numbersOf, rowOf, runDemo } from "./run-demo.ts";

const { TMPDIR } = process.env;

/** Whether a connection to the database that the demo printed is refused: the server is gone. */
async function isGone(output: string): Promise<boolean> {
  const port = Number(/^ {2}database .* at localhost:(\d+)$/m.exec(output)?.[1]);
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", () => resolve(true));
    socket.once("connect", () => resolve(socket.destroy() === undefined));
  });
}

test("MySQL: single-user keeps two passwords, and no login is refused in any rotation", {
  timeout: 90_000,
}, async () => {
  const { code, stdout, stderr } = await runDemo(["--engine", "mysql"], { TMPDIR });
  expect(stderr).toBe("");
  expect(code, stdout).toBe(0);
  expect(longLines(stdout)).toEqual([]);
  expect(stdout).not.toMatch(/postgres/i);
  expect(rowOf(stdout, "promise")).toEqual(["kept", "kept", "kept"]);
  expect(stdout).toMatch(/^ {2}single-user promises +no refused login$/m);
  expect(numbersOf(stdout, "  of these refused")).toEqual([0, 0, 0]);
  expect(rowOf(stdout, "refused-login window")).toEqual(["0 ms", "0 ms", "0 ms"]);
  expect(numbersOf(stdout, "Secrets Manager calls")).toEqual([8, 9, 9]);
  const logins = numbersOf(stdout, "function's logins");
  expect(logins.every((count) => count >= 2 && count <= 4)).toBe(true);
  expect(numbersOf(stdout, "  of these failed")).toEqual([0, 0, 0]);
  expect(stdout).toContain("logs in as checkout_clone");
  expect(await isGone(stdout)).toBe(true);
});
