import { RotationError, reasonOf } from "@quarterturn/core";
import type { Ending } from "./exit-codes.ts";

/** What ends a command: one line for the operator, with what to do next, and an exit code. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly ending: Exclude<Ending, "done">;

  /**
   * @param what what happened, one sentence without its full stop
   * @param next what to do next, where there is something: sentences or a command
   */
  constructor(ending: Exclude<Ending, "done">, what: string, next = "", options: { cause?: unknown } = {}) {
    super(next === "" ? `${what}.` : `${what}. ${next}`, options);
    this.ending = ending;
  }
}

/** Whatever was thrown, as a Failure. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof RotationError) return new Failure("refused", thrown.what, thrown.advice, { cause: thrown });
  return new Failure(
    "unexpected",
    `Nobody foresaw this: ${reasonOf(thrown).replace(/\.$/, "")}`,
    "Please report it as a bug, with what --debug shows.",
    { cause: thrown },
  );
}
