import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Io } from "../src/io.ts";
import { startProgress } from "../src/progress.ts";

test("nothing is drawn below what was said last, though work that was under way goes on, as after Ctrl-C", () => {
  const move = () => true;
  const terminal = { isTTY: true, columns: 80, cursorTo: move, moveCursor: move, clearLine: move };
  const stderr = Object.assign(new PassThrough(), terminal);
  const written = () => String(stderr.read() ?? "");
  const progress = startProgress({ stderr } as unknown as Io, "Listing");
  progress.show("1 of 2");
  expect(written()).toContain("1 of 2");
  progress[Symbol.dispose]();
  expect(written()).not.toContain("2 of 2");
  progress.show("2 of 2");
  expect(written()).toBe("");
});
