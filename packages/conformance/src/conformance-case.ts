import assert from "node:assert/strict";
import type { ConformanceOptions, Harness, PromiseNumber } from "./harness.ts";

/** One thing that every rotator must do, in scenarios of its own. */
export interface ConformanceCase {
  /** What is promised, as a sentence. */
  readonly name: string;
  /** Which of the project's six promises it guards. */
  readonly promise: PromiseNumber;
  /** Absent: it is for every rotator. */
  readonly only?: {
    /** Which rotators it is for, e.g. `where passwords are chosen`. */
    readonly where: string;
    holds(options: Pick<ConformanceOptions, "strategy" | "window" | "previous" | "credentials" | "text">): boolean;
  };
  /** @param report takes a figure for people. @throws Error saying what did not hold */
  run(harness: Harness, report: (figure: string) => void): Promise<void>;
}

/** Runs a case. @throws as the case does, and where the case ran no scenario: it would have proved nothing */
export async function runCase(
  conformanceCase: ConformanceCase,
  harness: Harness,
  report: (figure: string) => void,
): Promise<void> {
  const before = harness.transcripts.length;
  await conformanceCase.run(harness, report);
  assert.ok(harness.transcripts.length > before, `"${conformanceCase.name}" ran nothing`);
}
