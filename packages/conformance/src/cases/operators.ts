import assert from "node:assert/strict";
import { type Step, steps } from "@quarterturn/core";
import { before, mustKeepPrevious } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { Harness } from "../harness.ts";
import type { Rotation, Scenario } from "../scenario.ts";

/** The moments at which an operator acts: after these steps. */
const moments = ["createSecret", "setSecret", "testSecret"] as const satisfies readonly Step[];
type Moment = (typeof moments)[number];

const afterStep = (moment: Moment) => `after ${moment}`;

async function reach(scenario: Scenario, moment: Moment): Promise<Rotation> {
  const rotation = await scenario.startRotation();
  await scenario.succeed(rotation, [...before(moment), moment]);
  return rotation;
}

const remaining = (moment: Moment) => steps.slice(steps.indexOf(moment) + 1);

/**
 * A new rotation, after whatever happened: it succeeds if AWSCURRENT or AWSPREVIOUS knows the password. If neither does, nobody but the
 * operator can, and it must say so and change nothing.
 */
async function rotateAgain(harness: Harness, scenario: Scenario): Promise<void> {
  const isKnown = async (label: string) =>
    (await scenario.operator.text({ label })) !== undefined && (await scenario.login({ label })) === "accepted";
  const canRotate =
    (await isKnown("AWSCURRENT")) || (harness.options.window === "refused" && (await isKnown("AWSPREVIOUS")));
  const rotation = await scenario.startRotation();
  if (canRotate) {
    await scenario.succeed(rotation);
    await scenario.mustHaveFinished(rotation, "after the next rotation");
  } else {
    assert.equal(harness.options.window, "refused", "AWSCURRENT must log in before the next rotation");
    await scenario.succeed(rotation, ["createSecret"]);
    await scenario.refuse("setSecret", rotation, ["credentials-rejected"]);
  }
}

/** The rotation is over for its token: each step is refused and touches nothing, or finds the version current and changes nothing. */
async function mustRest(scenario: Scenario, rotation: Rotation): Promise<void> {
  const isCurrent = (await scenario.operator.holder("AWSCURRENT")) === rotation.token;
  for (const step of steps) {
    if (isCurrent) await scenario.unchanged(step, () => scenario.succeed(rotation, [step]));
    else await scenario.refuse(step, rotation, ["not-staged", "superseded"]);
  }
}

/** Where nothing that ends AWSPREVIOUS's credentials is left for finishSecret to do. */
const whereNothingEnds: ConformanceCase["only"] = {
  where: "where finishSecret ends no credentials",
  holds: ({ previous }) => previous !== "ended",
};

const putByHand: ConformanceCase = {
  name: "a value that somebody puts in mid-rotation stays AWSCURRENT: the rotation stops, and the next one does what can be done",
  promise: 4,
  async run(harness) {
    await harness.each(moments, afterStep, async (scenario, moment) => {
      const rotation = await reach(scenario, moment);
      const byHand = { ...(await scenario.value({ label: "AWSCURRENT" })), note: "changed by hand" };
      const version = await scenario.operator.put(scenario.textOf(byHand));
      await mustRest(scenario, rotation);
      assert.equal(await scenario.operator.holder("AWSCURRENT"), version, "What was put by hand must stay AWSCURRENT");
      await rotateAgain(harness, scenario);
    });
  },
};

const abandoned: ConformanceCase = {
  name: "a rotation that is abandoned by taking AWSPENDING away stops, and the next one does what can be done",
  promise: 2,
  async run(harness) {
    await harness.each(moments, afterStep, async (scenario, moment) => {
      const rotation = await reach(scenario, moment);
      await scenario.operator.move("AWSPENDING");
      await mustRest(scenario, rotation);
      await rotateAgain(harness, scenario);
    });
  },
};

const movedBack: ConformanceCase = {
  name: "AWSCURRENT, moved back in mid-rotation, ends on credentials that log in",
  promise: 1,
  async run(harness) {
    await harness.each(moments, afterStep, async (scenario, moment) => {
      await scenario.succeed(await scenario.startRotation());
      const rotation = await reach(scenario, moment);
      await scenario.operator.move("AWSCURRENT", await scenario.operator.holder("AWSPREVIOUS"));
      if (harness.options.strategy === "multi-user" && moment === "createSecret") {
        // The pending version is now for the user that is in use: to set its password would refuse the application.
        await scenario.refuse("setSecret", rotation, ["superseded", "wrong-target"]);
        await scenario.mustLogIn({ label: "AWSCURRENT" }, "after the refusal");
      } else {
        await scenario.succeed(rotation, remaining(moment));
        await scenario.mustHaveFinished(rotation, "after the remaining steps");
      }
    });
  },
};

const finishedByHand: ConformanceCase = {
  name: "a rotation that somebody finishes by moving AWSCURRENT is done: the remaining steps succeed and change nothing",
  promise: 2,
  only: whereNothingEnds,
  async run(harness) {
    await harness.each(["setSecret", "testSecret"] as const, afterStep, async (scenario, moment) => {
      const rotation = await reach(scenario, moment);
      await scenario.operator.move("AWSCURRENT", rotation.token);
      await mustRest(scenario, rotation);
      await scenario.mustHaveFinished(rotation, "after the remaining steps");
    });
  },
};

const cancelled: ConformanceCase = {
  name: "a rotation that is cancelled in mid-rotation ends: untouched before setSecret, on credentials that log in after it",
  promise: 1,
  async run(harness) {
    await harness.each(moments, afterStep, async (scenario, moment) => {
      const rotation = await reach(scenario, moment);
      await scenario.operator.cancelRotation();
      const [next, ...rest] = remaining(moment);
      if (next === undefined) throw new Error(`Nothing remains after ${moment}`);
      const before = await scenario.state();
      const outcome = await scenario.run(next, rotation);
      if (moment === "createSecret" && outcome.is === "failed") {
        assert.deepEqual(await scenario.state(), before, "A refused step changed something");
        await scenario.mustLogIn({ label: "AWSCURRENT" }, "after the refusal");
      } else {
        await scenario.succeed(rotation, [next, ...rest]);
        await scenario.mustHaveFinished(rotation, "after the remaining steps");
      }
    });
  },
};

const notEnabled: ConformanceCase = {
  name: "createSecret of a cancelled rotation is refused and touches nothing",
  promise: 5,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const rotation = await scenario.startRotation();
      await scenario.operator.cancelRotation();
      await scenario.refuse("createSecret", rotation, ["not-enabled"]);
    }),
};

const rolledBack: ConformanceCase = {
  name: "the rotation after a rolled-back one succeeds",
  promise: 2,
  only: whereNothingEnds,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      await scenario.succeed(await scenario.startRotation());
      await scenario.operator.move("AWSPENDING");
      await scenario.operator.move("AWSCURRENT", await scenario.operator.holder("AWSPREVIOUS"));
      const rotation = await scenario.startRotation();
      await scenario.succeed(rotation);
      await scenario.mustHaveFinished(rotation, "after the roll-back and a rotation");
    }),
};

const promotedPending: ConformanceCase = {
  name: "whether the service leaves AWSPENDING on the promoted version or cleans it up, the next rotation succeeds, and the one after a roll-back",
  promise: 2,
  only: whereNothingEnds,
  run: (harness) =>
    harness.each(
      ["usual", "cleansUp"] as const,
      (habit) => `AWSPENDING is ${habit === "usual" ? "left" : "cleaned up"}`,
      async (scenario, habit) => {
        const rotate = async () => {
          const rotation = await scenario.startRotation();
          await scenario.succeed(rotation);
          const left = await scenario.operator.holder("AWSPENDING");
          assert.equal(left, habit === "usual" ? rotation.token : undefined, "The service must have this habit");
          for (const step of steps) {
            await scenario.unchanged(`${step} after the end`, () => scenario.succeed(rotation, [step]));
          }
          return rotation;
        };
        await rotate();
        const second = await rotate();
        await scenario.mustHaveFinished(second, "after the next rotation");
        await mustKeepPrevious(harness, scenario, "after the next rotation");

        await scenario.operator.move("AWSCURRENT", await scenario.operator.holder("AWSPREVIOUS"));
        if (habit === "usual") {
          // Left where it is, the label says that this rotation is not complete: the service tries it again.
          await scenario.succeed(second);
          await scenario.mustHaveFinished(second, "after the roll-back and another try");
        } else {
          await scenario.mustHaveFinished(await rotate(), "after the roll-back and a rotation");
        }
      },
      (habit) => ({ habit }),
    ),
};

export const operatorCases = [
  putByHand,
  abandoned,
  movedBack,
  finishedByHand,
  cancelled,
  notEnabled,
  rolledBack,
  promotedPending,
] as const;
