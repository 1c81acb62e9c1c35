import assert from "node:assert/strict";
import { type ErrorCode, type Step, steps } from "@quarterturn/core";
import type { ServiceFault } from "../api-proxy.ts";
import { before, mustBeAvailable, mustKeepPrevious } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { Harness } from "../harness.ts";
import { mustBeDone, mustFail } from "../outcomes.ts";
import type { Rotation, Scenario } from "../scenario.ts";

/** What an invocation gets where there is no answer, in milliseconds: that must be reported before it is over. */
const shortDeadline = 3_000;

interface FaultyCall {
  readonly step: Step;
  /** The request of the step, from 0. */
  readonly request: number;
  readonly operation: string;
  /** Played one after another. */
  readonly faults: readonly Exclude<ServiceFault, "recovers">[];
}

const codesOf: Readonly<Record<FaultyCall["faults"][number], readonly ErrorCode[]>> = {
  denies: ["privilege"],
  fails: ["service"],
  silent: ["timeout", "unreachable"],
};

const secretsManager: ConformanceCase = {
  name: "an error or a missing answer of Secrets Manager, at any request, is reported as that before the deadline, AWSCURRENT logs in, and the retry succeeds",
  promise: 5,
  async run(harness, report) {
    const calls = await callsOf(harness);
    await harness.each(
      // A request that is never answered was carried out, so what follows it is another history.
      calls.flatMap((call) => [
        { ...call, faults: ["denies", "fails"] as const },
        { ...call, faults: ["silent"] as const },
      ]),
      ({ step, operation, request, faults }) =>
        `${step}, ${operation} (request ${request + 1}) ${faults.join(", then ")}`,
      async (scenario, call) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, before(call.step));
        for (const fault of call.faults) {
          await runInto(fault, call, scenario, rotation);
          await mustBeAvailable(harness, scenario, rotation, call.step, `after a request that ${fault}`);
        }
        scenario.lane.api.play({ is: "recovers", from: call.request });
        mustBeDone(await scenario.run(call.step, rotation), `${call.step}, throttled and then failed once,`);
        scenario.lane.api.play(undefined);
        await scenario.succeed(rotation);
        await scenario.mustHaveFinished(rotation, "after the retry");
        await mustKeepPrevious(harness, scenario, "after the retry");
      },
    );
    report(`${calls.length} requests to Secrets Manager, each refused, failed, throttled and left without an answer`);
  },
};

/** A dry run: every request of every step. */
async function callsOf(harness: Harness): Promise<readonly Omit<FaultyCall, "faults">[]> {
  return harness.scenario(async (scenario) => {
    const rotation = await scenario.startRotation();
    const calls: Omit<FaultyCall, "faults">[] = [];
    for (const step of steps) {
      scenario.lane.api.forget();
      await scenario.succeed(rotation, [step]);
      calls.push(...scenario.lane.api.calls.map(({ operation }, request) => ({ step, request, operation })));
    }
    return calls;
  });
}

async function runInto(
  fault: FaultyCall["faults"][number],
  { step, request }: FaultyCall,
  scenario: Scenario,
  rotation: Rotation,
): Promise<void> {
  scenario.lane.api.play({ is: fault, from: request });
  const outcome = await scenario.run(step, rotation, fault === "silent" ? { remainingMs: shortDeadline } : {});
  scenario.lane.api.play(undefined);
  // What comes after the label has moved (old credentials are retired) may fail and undoes nothing.
  const isOver = step === "finishSecret" && (await scenario.operator.holder("AWSCURRENT")) === rotation.token;
  if (isOver && outcome.is === "done") return;
  const error = mustFail(outcome, `${step}, where request ${request + 1} ${fault},`, codesOf[fault]);
  assert.ok(error.message.includes(scenario.secretId), `The message must name the secret: ${error.message}`);
}

const refusedValue: ConformanceCase = {
  name: "a new value that Secrets Manager refuses to store, however often, leaves nothing behind, and the retry succeeds",
  promise: 2,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const rotation = await scenario.startRotation();
      scenario.lane.api.play({ is: "denies", from: 0, in: "PutSecretValue" });
      for (const what of ["first try", "second try", "third try"]) {
        await scenario.refuse("createSecret", rotation, ["privilege"], { what });
      }
      const issued = (await scenario.target.issuedTo?.(scenario.account.secret)) ?? 0;
      assert.equal(issued, 0, `${issued} issued credentials are valid, of which Secrets Manager knows none`);
      scenario.lane.api.play(undefined);
      await scenario.succeed(rotation);
      await scenario.mustHaveFinished(rotation, "after the retry");
      await mustKeepPrevious(harness, scenario, "after the retry");
    }),
};

export const serviceFaultCases = [secretsManager, refusedValue] as const;
