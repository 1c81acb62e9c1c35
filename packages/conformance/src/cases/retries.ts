import assert from "node:assert/strict";
import { type Step, steps } from "@quarterturn/core";
import fc from "fast-check";
import { before, mustBeAvailable, mustKeepPrevious } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { mustBeActionable } from "../outcomes.ts";

const everyStepTwice: ConformanceCase = {
  name: "every step may be called twice, and again after the rotation has finished, when it changes nothing",
  promise: 2,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const rotation = await scenario.startRotation();
      for (const step of steps) {
        await scenario.succeed(rotation, [step]);
        await scenario.unchanged(`${step}, called again,`, () => scenario.succeed(rotation, [step]));
      }
      await scenario.mustHaveFinished(rotation, "after every step was called twice");
      for (const step of steps) {
        await scenario.unchanged(`${step} after the end`, () => scenario.succeed(rotation, [step]));
      }
    }),
};

const restarted: ConformanceCase = {
  name: "a rotation that is started again from createSecret after any step converges",
  promise: 2,
  async run(harness) {
    await harness.each(
      steps,
      (step) => `restarted after ${step}`,
      async (scenario, step) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, [...before(step), step]);
        await scenario.succeed(rotation);
        await scenario.mustHaveFinished(rotation, "after the restart");
        await mustKeepPrevious(harness, scenario, "after the restart");
      },
    );
  },
};

/** Any history that retries and duplicates can give: a step that was reached before, or the next one. */
const histories = fc.array(fc.nat(3), { minLength: 4, maxLength: 8 }).map((numbers) => {
  let reached = 0;
  return numbers.map((number) => {
    const index = Math.min(number, reached);
    if (index === reached) reached = Math.min(reached + 1, steps.length - 1);
    return steps[index] as Step;
  });
});

const everyOrder: ConformanceCase = {
  name: "every order of repeated steps converges",
  promise: 2,
  async run(harness) {
    await harness.each(
      fc.sample(histories, 10),
      (history) => history.join(", "),
      async (scenario, history) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, history);
        await scenario.succeed(rotation);
        await scenario.mustHaveFinished(rotation, "after the retry");
        await mustKeepPrevious(harness, scenario, "after the retry");
      },
    );
  },
};

const concurrently: ConformanceCase = {
  name: "two invocations of one step at the same time leave credentials that log in, and the rotation goes on",
  promise: 2,
  async run(harness) {
    await harness.each(
      steps,
      (step) => `two of ${step}`,
      async (scenario, step) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, before(step));
        await scenario.lane.warm(2);
        const outcomes = await Promise.all([scenario.run(step, rotation), scenario.run(step, rotation)]);
        assert.ok(
          outcomes.some((outcome) => outcome.is === "done"),
          `One of them must succeed: ${JSON.stringify(outcomes)}`,
        );
        // The other may find that it came second, and must say so as an error that people can read.
        for (const outcome of outcomes) if (outcome.is === "failed") mustBeActionable(outcome.error, step);
        await mustBeAvailable(harness, scenario, rotation, step, "after both");
        await scenario.succeed(rotation);
        await scenario.mustHaveFinished(rotation, "after both and a retry");
        await mustKeepPrevious(harness, scenario, "after both and a retry");
      },
    );
  },
};

const serviceRetry: ConformanceCase = {
  name: "the service's own retry finishes a rotation whose function was killed",
  promise: 2,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const killAt = { step: "setSecret", point: { effect: 2, when: "after" } } as const;
      const events = await scenario.rotateByService({ killAt });
      const course = events.filter((event) => event.kind === "rotation").map((event) => event.name);
      assert.deepEqual(course, ["RotationStarted", "RotationFailed", "RotationSucceeded"], JSON.stringify(events));
      await scenario.mustLogIn({ label: "AWSCURRENT" }, "after the retry");
    }),
};

const outOfOrder: ConformanceCase = {
  name: "a step that is called before createSecret is refused and touches nothing",
  promise: 5,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const rotation = await scenario.startRotation();
      for (const step of ["setSecret", "testSecret"] as const) await scenario.refuse(step, rotation, ["not-staged"]);
      assert.equal(scenario.lane.database.connections, 0, "Nothing may be sent to the database");
      await scenario.succeed(rotation);
      await scenario.mustHaveFinished(rotation, "after the steps came in order");
    }),
};

const late: ConformanceCase = {
  name: "a step of an earlier rotation that arrives late is refused and touches nothing",
  promise: 2,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const earlier = await scenario.startRotation();
      await scenario.succeed(earlier);
      for (const turn of ["the next rotation", "the rotation after the next"]) {
        await scenario.succeed(await scenario.startRotation());
        for (const step of steps) {
          await scenario.refuse(step, earlier, ["superseded", "not-staged"], { what: `after ${turn}` });
        }
      }
    }),
};

export const retryCases = [
  everyStepTwice,
  restarted,
  everyOrder,
  concurrently,
  serviceRetry,
  outOfOrder,
  late,
] as const;
