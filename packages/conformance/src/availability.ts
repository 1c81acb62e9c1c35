import assert from "node:assert/strict";
import { type ErrorCode, type Step, steps } from "@quarterturn/core";
import type { ConformanceOptions, Harness } from "./harness.ts";
import type { ThrownError } from "./invocation.ts";
import type { Rotation, Scenario } from "./scenario.ts";

/**
 * Promise 1 at one moment: AWSCURRENT logs in; where the strategy has a window, from the beginning of setSecret on the token's version
 * may do so instead, and from its end on it must.
 *
 * @param reached the step that runs, was killed, or has just ended
 */
export async function mustBeAvailable(
  { options }: Harness,
  scenario: Scenario,
  rotation: Rotation,
  reached: Step,
  when: string,
): Promise<void> {
  if (options.window === "none" || reached === "createSecret") return scenario.mustLogIn({ label: "AWSCURRENT" }, when);
  if (reached === "setSecret" && (await scenario.login({ label: "AWSCURRENT" })) === "accepted") return;
  await scenario.mustLogIn({ version: rotation.token }, `${when} (AWSCURRENT is in its window)`);
}

/** Whether what was AWSCURRENT before still logs in: then one can roll back. */
export function keepsPrevious({ window, previous }: Pick<ConformanceOptions, "window" | "previous">): boolean {
  return window === "none" && previous !== "ended";
}

/** The credentials that were AWSCURRENT before are valid until the rotation after the next, or ended; no others are left over. */
export async function mustKeepPrevious({ options }: Harness, scenario: Scenario, when: string): Promise<void> {
  if (keepsPrevious(options)) await scenario.mustLogIn({ label: "AWSPREVIOUS" }, when);
  else assert.equal(await scenario.login({ label: "AWSPREVIOUS" }), "refused", `AWSPREVIOUS must be refused ${when}`);
  const issued = options.credentials === "issued" && (await scenario.target.issuedTo?.(scenario.account.secret));
  // AWSCURRENT's, and AWSPREVIOUS's or one that is newer: it may be the next rotation's, so nobody revokes it yet.
  assert.ok(Number(issued) <= 2, `${issued} issued credentials are valid ${when}: a try left some behind`);
}

/** AWSCURRENT's credentials are refused: in the step that uses them first, the rotation must stop and change nothing. A key is issued in createSecret. */
export async function refuseCurrent(
  { options }: Harness,
  scenario: Scenario,
  rotation: Rotation,
  codes: readonly ErrorCode[],
): Promise<ThrownError> {
  if (options.credentials === "issued") return scenario.refuse("createSecret", rotation, codes);
  await scenario.succeed(rotation, ["createSecret"]);
  return scenario.refuse("setSecret", rotation, codes);
}

/** The steps that come before one. */
export function before(step: Step): readonly Step[] {
  return steps.slice(0, steps.indexOf(step));
}
