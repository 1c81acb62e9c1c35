import { afterAll, beforeAll, describe, test } from "vitest";
import { type ConformanceCase, runCase } from "./conformance-case.ts";
import { conformanceCases } from "./conformance-cases.ts";
import { type ConformanceOptions, type Harness, startHarness } from "./harness.ts";

/** Milliseconds; the crash matrix of a slow server takes the longest. */
const timeout = 600_000;

/**
 * Registers the whole suite for one rotator in vitest. Figures (points of the crash matrix, logins) are printed, and what is not judged.
 *
 * The target is started before the first test and stopped after the last.
 */
export function rotatorConformance(options: ConformanceOptions): void {
  describe(`${options.name} keeps the promises`, () => {
    const isOurs = ({ only }: ConformanceCase) => only?.holds(options) ?? true;
    const asked = conformanceCases.filter(({ promise }) => options.promises?.includes(promise) ?? true);
    const ours = asked.filter(isOurs);
    const others = asked.filter((each) => !isOurs(each));
    const say = (figure: string) => void process.stdout.write(`${options.name}: ${figure}\n`);
    let harness: Harness | undefined;
    beforeAll(async () => {
      harness = await startHarness(options);
      if (options.promises) say(`judged are only the promises ${options.promises.join(", ")}`);
      for (const { name, only } of others) say(`not judged (it is only ${only?.where}): ${name}`);
    }, timeout);
    afterAll(async () => {
      await harness?.[Symbol.asyncDispose]();
    });
    for (const each of ours) {
      test(`promise ${each.promise}: ${each.name}`, { timeout }, async () => {
        if (!harness) throw new Error("The harness did not start");
        await runCase(each, harness, say);
      });
    }
  });
}
