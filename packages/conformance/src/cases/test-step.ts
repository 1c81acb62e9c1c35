import assert from "node:assert/strict";
import type { ConformanceCase } from "../conformance-case.ts";
import { mustFail } from "../outcomes.ts";

const refusesUnset: ConformanceCase = {
  name: "testSecret refuses credentials that do not log in",
  promise: 1,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const unset = async () => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, ["createSecret"]);
        return rotation;
      };
      // What is issued is valid at once; what somebody wrote is not.
      const invalid = () => scenario.startRotationTo((next) => scenario.textOf({ ...next, password: "not-issued" }));
      const rotation = await (harness.options.credentials === "issued" ? invalid() : unset());
      mustFail(await scenario.run("testSecret", rotation), "testSecret before setSecret", ["credentials-rejected"]);
    }),
};

const changesNothing: ConformanceCase = {
  name: "testSecret changes nothing, whether the credentials log in or not",
  promise: 4,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const rotation = await scenario.startRotation();
      for (const step of ["createSecret", "setSecret"] as const) {
        await scenario.succeed(rotation, [step]);
        scenario.lane.api.forget();
        await scenario.unchanged(`testSecret after ${step}`, () => scenario.run("testSecret", rotation));
        const writes = scenario.lane.api.calls.filter(
          ({ operation, input }) =>
            !/^(Get|Describe|List)/.test(operation) &&
            // Where the target knows of them, a step may make secrets for its own time.
            (!scenario.target.leftovers || [input.SecretId, input.Name].includes(scenario.secretId)),
        );
        assert.deepEqual(writes, [], `testSecret after ${step} must not write to Secrets Manager`);
        await scenario.mustHaveLeftNothing(`by testSecret after ${step}`);
      }
    }),
};

const alone: ConformanceCase = {
  name: "a lone testSecret (RotateSecret with RotateImmediately=false) succeeds and changes nothing",
  promise: 2,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      for (const when of ["before any rotation", "after a rotation"]) {
        await scenario.unchanged(`The test ${when}`, async () => {
          const events = await scenario.rotateByService({ immediately: false });
          const invocations = events.filter((event) => event.kind === "invocation");
          const told = invocations.map((event) => `${event.name} ${event.outcome}`);
          assert.deepEqual(told, ["testSecret succeeded"], `${when}: ${JSON.stringify(events)}`);
        });
        await scenario.succeed(await scenario.startRotation());
        // The service needs the label for the test, and would take it from here.
        await scenario.operator.move("AWSPENDING");
      }
    }),
};

export const testStepCases = [refusesUnset, changesNothing, alone] as const;
