import { isDeepStrictEqual } from "node:util";
import { unfinishedVersion } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { describe, type Secret } from "./secret.ts";

/**
 * Refuses where a rotation is not finished: its function would go on.
 *
 * @param undone what was not done, e.g. `"app" was left as it is`
 * @param id the version that it may be a rotation to
 * @throws Failure
 */
export function requireFinished(context: Context, secret: Secret, undone: string, id?: string): void {
  const unfinished = unfinishedVersion(secret.versions);
  if (unfinished === undefined || unfinished === id) return;
  throw new Failure(
    "refused",
    `${undone}: a rotation to version ${unfinished} is not finished`,
    `See how far it is: ${context.next("status", secret.id)}; end it: ${context.next("cancel", secret.id, "--clear-pending")}`,
  );
}

/** Describes a secret again, since the answer to a question may have taken long. @throws Failure where it is not as it was */
export async function requireAsSeen(context: Context, seen: Secret, undone: string): Promise<void> {
  const now = await describe(context, seen.id);
  requireFinished(context, now, undone);
  if (isDeepStrictEqual(factsOf(now), factsOf(seen))) return;
  throw new Failure(
    "refused",
    `${undone}: somebody else has changed it meanwhile`,
    `See what it is now: ${context.next("status", seen.id)}`,
  );
}

const factsOf = ({ arn, versions, functionArn, schedule, rotationEnabled }: Secret) => ({
  arn,
  versions,
  functionArn,
  schedule,
  rotationEnabled,
});
