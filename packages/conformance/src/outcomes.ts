import assert from "node:assert/strict";
import type { ErrorCode } from "@quarterturn/core";
import type { ThrownError } from "./invocation.ts";
import type { Outcome } from "./rotator-process.ts";

/** @throws AssertionError unless the invocation succeeded */
export function mustBeDone(outcome: Outcome, what: string): void {
  assert.equal(outcome.is, "done", `${what} ${told(outcome)}`);
}

/**
 * The error of an invocation that must fail: typed, in one line, and with something to do next.
 *
 * @param codes any of these
 * @throws AssertionError
 */
export function mustFail(outcome: Outcome, what: string, codes: readonly ErrorCode[]): ThrownError {
  assert.equal(outcome.is, "failed", `${what} must fail with ${codes.join(" or ")}, and it ${told(outcome)}`);
  const { error } = outcome as Extract<Outcome, { is: "failed" }>;
  assert.ok(
    codes.some((code) => code === error.code),
    `${what} must fail with ${codes.join(" or ")}, and it ${told(outcome)}`,
  );
  mustBeActionable(error, what);
  return error;
}

/** One line that says what to do, as RotationError has it. */
export function mustBeActionable(error: ThrownError, what: string): void {
  assert.equal(error.name, "RotationError", `${what} threw ${error.name}, not a RotationError: ${error.message}`);
  assert.ok(!/[\r\n]/.test(error.message), `${what} threw an error of several lines: ${error.message}`);
  assert.ok(
    error.advice !== undefined && error.advice !== "" && error.message.includes(error.advice),
    `${what} threw an error that does not say what to do next: ${error.message}`,
  );
}

/** How it ended, with what helps to find out why. */
function told(outcome: Outcome): string {
  const log = outcome.output.trim().split("\n").slice(-4).join("\n  ");
  const end = outcome.is === "failed" ? `failed: ${outcome.error.message}` : `ended: ${outcome.is}`;
  return `${end}\n  ${log}`;
}
