import { afterAll, beforeAll, describe, test } from "vitest";
import { runCase } from "./conformance-case.ts";
import { conformanceCases } from "./conformance-cases.ts";
import { type ConformanceOptions, type Harness, startHarness } from "./harness.ts";

/** Milliseconds; the crash matrix of a slow server takes the longest. */
const timeout = 180_000;

/**
 * Registers the whole suite for one rotator in vitest. Figures (points of the crash matrix, logins) are printed.
 *
 * The target is started before the first test and stopped after the last.
 */
export function rotatorConformance(options: ConformanceOptions): void {
  describe(`${options.name} keeps the promises`, () => {
    let harness: Harness | undefined;
    beforeAll(async () => {
      harness = await startHarness(options);
    }, timeout);
    afterAll(async () => {
      await harness?.[Symbol.asyncDispose]();
    });
    for (const each of conformanceCases) {
      if (each.appliesTo?.(options) === false || options.promises?.includes(each.promise) === false) continue;
      test(`promise ${each.promise}: ${each.name}`, { timeout }, async () => {
        if (!harness) throw new Error("The harness did not start");
        await runCase(each, harness, (figure) => process.stdout.write(`${options.name}: ${figure}\n`));
      });
    }
  });
}
