import { isDeepStrictEqual } from "node:util";
import { unfinishedVersion } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { describe, type Secret } from "./secret.ts";

/** Refuses where a rotation is not finished. @param undone what was not done, e.g. `"app" was left as it is` @throws Failure */
export function requireFinished(context: Context, { id, versions }: Secret, undone: string): void {
  const unfinished = unfinishedVersion(versions);
  if (unfinished === undefined) return;
  throw new Failure(
    "refused",
    `${undone}: a rotation to version ${unfinished} is not finished`,
    `See how far it is: ${context.next("status", id)}; end it: ${context.next("cancel", id, "--clear-pending")}`,
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
