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

/**
 * What was seen before a question is as old as the answer: to be called after every yes, at once before the first change. Describes the
 * secret again, and looks at what else the change depends on.
 *
 * @param undone what was not done, e.g. `"app" was left as it is`
 * @param look throws where what is seen now forbids the change
 * @throws Failure where the secret is not as it was
 */
export async function lookAgain<Seen>(
  context: Context,
  seen: Secret,
  undone: string,
  look: (now: Secret) => Promise<Seen>,
): Promise<Seen> {
  const now = await describe(context, seen.id);
  if (isDeepStrictEqual(factsOf(now), factsOf(seen))) return look(now);
  throw new Failure(
    "refused",
    `${undone}: the secret was changed meanwhile`,
    `See how it is now: ${context.next("status", seen.id)}`,
  );
}

/** The service lists a version's labels in any order. */
const factsOf = ({ arn, versions, functionArn, schedule, rotationEnabled }: Secret) => ({
  arn,
  versions: Object.fromEntries(Object.entries(versions).map(([id, labels]) => [id, labels.toSorted()])),
  functionArn,
  schedule,
  rotationEnabled,
});
