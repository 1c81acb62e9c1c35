import assert from "node:assert/strict";
import { type Step, steps } from "@quarterturn/core";
import { before, mustBeAvailable, mustKeepPrevious } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { Point } from "../effects.ts";
import type { Harness } from "../harness.ts";
import { mustBeDone } from "../outcomes.ts";
import type { Rotation, Scenario } from "../scenario.ts";

/** One place at which a function can die. */
interface CrashPoint extends Point {
  readonly step: Step;
  /** What the effect was in the dry run. */
  readonly effectName: string;
}

/** How often a point is looked for, since the number of turns of a TLS handshake depends on how its packets are cut. */
const attempts = 3;

/** About how often one step is killed in one rotation: each retry does again what the ones before had done, so all effects would cost their square. */
const killsInARow = 6;

const crashMatrix: ConformanceCase = {
  name: "killed before and after every effect of every step, and killed again and again, the retry converges, and there are always credentials that log in",
  promise: 2,
  async run(harness, report) {
    const points: CrashPoint[] = [];
    for (const step of steps) points.push(...pointsOf(step, await effectsOf(harness, step)));
    let remaining = points;
    for (let attempt = 1; remaining.length > 0; attempt++) {
      const missed: CrashPoint[] = [];
      await harness.each(remaining, nameOf, async (scenario, point) => {
        if (await survive(harness, scenario, point)) return;
        assert.ok(attempt < attempts, "The process ended before this point, which the dry run had reached");
        missed.push(point);
      });
      remaining = missed;
    }
    const pointsIn = (step: Step) => points.filter((point) => point.step === step).length;
    const kills = new Map<Step, number>();
    await harness.each(steps, String, async (scenario, step) => {
      kills.set(step, await surviveKillAfterKill(harness, scenario, step, Math.ceil(pointsIn(step) / killsInARow)));
    });
    const perStep = (count: (step: Step) => number | undefined) =>
      steps.map((step) => `${step} ${count(step)}`).join(", ");
    report(
      `${points.length} points, each killed once (${perStep(pointsIn)}); ` +
        `one retry after another killed (${perStep((step) => kills.get(step))})`,
    );
  },
};

/** Dry runs: the effects of one step. The shortest counts, since a packet that is cut in two may look like a turn more. */
async function effectsOf(harness: Harness, step: Step): Promise<readonly string[]> {
  const runs: (readonly string[])[] = [];
  await harness.each([1, 2, 3], String, async (scenario) => {
    const rotation = await scenario.startRotation();
    await scenario.succeed(rotation, before(step));
    await scenario.succeed(rotation, [step]);
    runs.push(scenario.lane.meter.effects);
  });
  const effects = runs.reduce((shortest, run) => (run.length < shortest.length ? run : shortest));
  assert.ok(effects.length > 0, `${step} had no effect at all: the suite does not see what the rotator does`);
  return effects;
}

/**
 * Before the first effect and after each. What is outside the process after one effect is what is there before the next, since a function's
 * effects follow each other: to kill it there again would show the same a second time.
 */
function pointsOf(step: Step, effects: readonly string[]): CrashPoint[] {
  return effects.flatMap((effectName, effect) =>
    (effect === 0 ? (["before", "after"] as const) : (["after"] as const)).map((when) => ({
      step,
      effect,
      effectName,
      when,
    })),
  );
}

function nameOf({ step, effect, effectName, when }: CrashPoint): string {
  return `${step}, killed ${when} effect ${effect + 1} (${effectName})`;
}

/** @returns false where the step ended before the point was reached */
async function survive(harness: Harness, scenario: Scenario, point: CrashPoint): Promise<boolean> {
  const { step } = point;
  const rotation = await scenario.startRotation();
  await scenario.succeed(rotation, before(step));
  const first = await scenario.run(step, rotation, { point });
  if (first.is !== "killed") {
    mustBeDone(first, step);
    // A last goodbye to the database may come after the answer; then the kill comes too late to matter, as it would in Lambda.
    if (scenario.lane.meter.effects.length <= point.effect) return false;
  }
  await mustBeAvailable(harness, scenario, rotation, step, "after the kill");

  await mustFinish(scenario, rotation);
  await mustKeepPrevious(harness, scenario, "after the retry");
  return true;
}

/**
 * One rotation whose step is killed after its first effect, each retry some effects later, until one gets to its end.
 *
 * @param stride how many effects later
 * @returns how often it was killed
 */
async function surviveKillAfterKill(harness: Harness, scenario: Scenario, step: Step, stride: number): Promise<number> {
  const rotation = await scenario.startRotation();
  await scenario.succeed(rotation, before(step));
  for (let kills = 0; ; kills++) {
    const outcome = await scenario.run(step, rotation, { point: { effect: kills * stride, when: "after" } });
    await mustBeAvailable(harness, scenario, rotation, step, `after ${kills + 1} tries`);
    if (outcome.is === "killed") continue;
    mustBeDone(outcome, `${step}, killed ${kills} times and called again,`);
    await mustFinish(scenario, rotation);
    // A key that a retry issued in vain is newer than AWSCURRENT's: nobody revokes it before the next rotation has a later one.
    if (harness.options.credentials === "issued") await mustFinish(scenario, await scenario.startRotation());
    await mustKeepPrevious(harness, scenario, "after the retry");
    return kills;
  }
}

async function mustFinish(scenario: Scenario, rotation: Rotation): Promise<void> {
  await scenario.succeed(rotation);
  await scenario.mustHaveFinished(rotation, "after the retry");
}

export const crashCases = [crashMatrix] as const;
