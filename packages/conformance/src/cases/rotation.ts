import assert from "node:assert/strict";
import { steps } from "@quarterturn/core";
import { keepsPrevious, mustBeAvailable, mustKeepPrevious } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { SecretObject } from "../target.ts";

const consecutive: ConformanceCase = {
  name: "each of three rotations ends with AWSCURRENT on new credentials that log in, and none is without any in between",
  promise: 1,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const { strategy, window } = harness.options;
      let id = await scenario.operator.holder("AWSCURRENT");
      let old: SecretObject = await scenario.value({ label: "AWSCURRENT" });
      const names = [old.username];
      for (const turn of [1, 2, 3]) {
        const rotation = await scenario.startRotation();
        for (const step of steps) {
          await scenario.succeed(rotation, [step]);
          await mustBeAvailable(harness, scenario, rotation, step, `after ${step} of rotation ${turn}`);
          if (step === "setSecret" && harness.promotesEarly && window === "refused") {
            await scenario.mustHaveFinished(rotation, "after setSecret, with EARLY_PROMOTION");
          }
        }
        const when = `after rotation ${turn}`;
        await scenario.mustHaveFinished(rotation, when);
        assert.equal(
          await scenario.operator.holder("AWSPREVIOUS"),
          id,
          `AWSPREVIOUS must be the version before ${when}`,
        );
        const next = await scenario.value({ label: "AWSCURRENT" });
        assert.notEqual(next.password, old.password, `The password must be another ${when}`);
        await mustKeepPrevious(harness, scenario, when);
        names.push(next.username);
        id = rotation.token;
        old = next;
      }
      const [first, second, third, fourth] = names;
      assert.deepEqual([third, fourth], [first, second], `The users must take turns: ${names.join(", ")}`);
      assert.equal(first === second, strategy === "single-user", `The strategy is ${strategy}: ${names.join(", ")}`);
    }),
};

const byService: ConformanceCase = {
  name: "the service's own rotations succeed, one after another",
  promise: 1,
  async run(harness) {
    const habits = harness.promotesEarly ? (["usual", "endsEarly"] as const) : (["usual"] as const);
    await harness.each(
      habits,
      (habit) => `the service's habit: ${habit}`,
      async (scenario) => {
        for (const turn of [1, 2]) {
          const before = await scenario.operator.holder("AWSCURRENT");
          const events = await scenario.rotateByService();
          const course = events.filter((event) => event.kind === "rotation").map((event) => event.name);
          assert.deepEqual(
            course,
            ["RotationStarted", "RotationSucceeded"],
            `Rotation ${turn}: ${JSON.stringify(events)}`,
          );
          assert.notEqual(
            await scenario.operator.holder("AWSCURRENT"),
            before,
            `Rotation ${turn} must move AWSCURRENT`,
          );
          await scenario.mustLogIn({ label: "AWSCURRENT" }, `after rotation ${turn}`);
        }
      },
      (habit) => ({ habit }),
    );
  },
};

const everyInstant: ConformanceCase = {
  name: "an application that logs in all the time is never refused",
  promise: 1,
  only: { where: "where AWSPREVIOUS stays valid", holds: keepsPrevious },
  run: (harness, report) =>
    harness.scenario(async (scenario) => {
      let isRotating = true;
      let logins = 0;
      const application = async () => {
        for (; isRotating; logins++) await scenario.mustLogIn({ label: "AWSCURRENT" }, `at login ${logins + 1}`);
      };
      const rotations = async () => {
        try {
          for (let turn = 0; turn < 4; turn++) await scenario.succeed(await scenario.startRotation());
        } finally {
          isRotating = false;
        }
      };
      await Promise.all([rotations(), application()]);
      assert.ok(logins > 0, "The application must have logged in while the rotations ran");
      report(`${logins} logins during 4 rotations, none refused`);
    }),
};

const rotationToken: ConformanceCase = {
  name: "createSecret writes the pending version under the event's token, as AWSPENDING, and passes the RotationToken on",
  promise: 6,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const rotation = await scenario.startRotation();
      await scenario.succeed(rotation, ["createSecret"]);
      const puts = scenario.lane.api.calls.filter((call) => call.operation === "PutSecretValue");
      const inputs = puts.map(({ input }) => [input.ClientRequestToken, input.VersionStages, input.RotationToken]);
      assert.deepEqual(inputs, [[rotation.token, ["AWSPENDING"], rotation.rotationToken]]);
    }),
};

export const rotationCases = [consecutive, byService, everyInstant, rotationToken] as const;
