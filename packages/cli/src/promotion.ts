import { AWSCURRENT, type LabelChange } from "@quarterturn/core";
import { lookAgain } from "./as-seen.ts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { changeLabels, planOf } from "./label-changes.ts";
import { tryVersion, wordsOf } from "./login.ts";
import { requireYes } from "./prompt.ts";
import { type Secret, toRecover } from "./secret.ts";

interface Flags {
  readonly force?: boolean;
  readonly yes?: boolean;
}

/**
 * Applications read AWSCURRENT: it must not become what does not log in.
 *
 * @param force goes past a database that cannot be asked, never past one that refuses
 * @returns what was seen
 * @throws Failure
 */
export async function requireLogin(context: Context, secret: Secret, id: string, { force }: Flags): Promise<string> {
  const verdict = await tryVersion(context, secret, id);
  const seen = `Version ${id} ${wordsOf(verdict)}`;
  if (verdict.is === "accepted" || (verdict.is === "unknown" && force)) return seen;
  const next = {
    refused: `See which version does: ${toRecover(context.next, secret)}.`,
    "no value": `See which versions there are: ${context.next("status", secret.id)}.`,
    unknown: "Correct that, or repeat the command with --force.",
  }[verdict.is];
  throw new Failure("refused", `${notMoved(secret)}. ${seen}`, next);
}

const notMoved = ({ name }: Secret) => `AWSCURRENT of "${name}" was not moved`;

/**
 * Moves AWSCURRENT to a version, after a yes and another login.
 *
 * @param changes those that make it AWSCURRENT
 * @param seen the beginning of the plan
 * @throws Failure
 */
export async function promote(
  context: Context,
  secret: Secret,
  id: string,
  changes: readonly LabelChange[],
  seen: readonly string[],
  flags: Flags,
): Promise<void> {
  await requireYes(context, [...seen, ...changes.map(planOf)], `Make version ${id} ${AWSCURRENT}?`, flags);
  await lookAgain(context, secret, notMoved(secret), (now) => requireLogin(context, now, id, flags));
  await changeLabels(context, secret, changes);
}
