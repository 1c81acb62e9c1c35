import { createRedactor } from "@quarterturn/core";
import { expect, test } from "vitest";
import type { Context } from "../src/context.ts";
import { rotationContext } from "../src/login.ts";
import type { Secret } from "../src/secret.ts";

test("an engine's warning is told with the statement that helps, and without secrets", () => {
  const notes: string[] = [];
  const redactor = createRedactor();
  redactor.learn('{"password":"never-shown"}');
  const context = { redactor, note: (line) => void notes.push(line) } as Pick<Context, "note" | "redactor"> as Context;
  const { log } = rotationContext(context, { arn: "any" } as Secret);
  log.warn("An admin can run the statement", { objects: 2, statement: "GRANT never-shown TO app;" });
  expect(notes).toEqual(["An admin can run the statement; objects 2; statement GRANT [redacted] TO app;"]);
});
