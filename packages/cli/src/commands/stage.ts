import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, changesTo, type LabelChange } from "@quarterturn/core";
import { lookAgain, requireFinished } from "../as-seen.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { changeLabels, planOf } from "../label-changes.ts";
import type { Outcome } from "../output.ts";
import { promote, requireLogin } from "../promotion.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describePrimary, type Secret } from "../secret.ts";
import { trySpare, whyKept } from "../spare-version.ts";

interface Flags {
  readonly force?: boolean;
  readonly yes?: boolean;
}

export const registerStage: Register = (program, act) =>
  program
    .command("stage <SECRET> <LABEL> <VERSION>")
    .description("Moves a label to a version. AWSCURRENT moves only to a version that logs in.")
    .option("--force", "although the database cannot be asked")
    .option(...yesOption)
    .action(act(stage));

async function stage(
  context: Context,
  secretId: string,
  label: string,
  version: string,
  flags: Flags,
): Promise<Outcome> {
  const secret = await describePrimary(context, secretId);
  requireMeant(context, secret, label, version);
  const changes = changesTo(secret.versions, label, version);
  const about = { name: secret.name, arn: secret.arn, changes };
  if (changes.length === 0)
    return { data: about, text: () => `${label} of ${secret.name} is on version ${version} already.` };
  if (label === AWSPENDING) {
    throw new Failure(
      "refused",
      `AWSPENDING of "${secret.name}" was not moved: a rotation gives it, and would go on with another value than its own`,
      `To end one: ${context.next("cancel", secret.id, "--clear-pending")}`,
    );
  }
  if (label === AWSCURRENT) {
    requireFinished(context, secret, `AWSCURRENT of "${secret.name}" was not moved`, version);
    const seen = await requireLogin(context, secret, version, flags);
    await promote(context, secret, version, changes, [seen], flags);
  } else await move(context, secret, label, changes, flags);
  return { data: about, text: (paint) => paint("green", `${label} of ${secret.name} is on version ${version}.`) };
}

/** The service would take a label that is merely spelled like one of its own for a new one; an id that is cut short it refuses. @throws Failure */
function requireMeant(context: Context, { id, name }: Secret, label: string, version: string): void {
  const own = [AWSCURRENT, AWSPENDING, AWSPREVIOUS].find((each) => each === label.toUpperCase());
  if (own !== undefined && own !== label)
    throw new Failure("usage", `${label} is not a label of Secrets Manager's: ${own} is written in capitals`);
  if (version.length >= 32) return;
  throw new Failure(
    "usage",
    `"${version}" is not the whole id of a version of "${name}"`,
    `See their ids: ${context.next("status", id)}`,
  );
}

/** Moves a label that the service does not hand to applications; AWSPREVIOUS may be all that leads to the value that works. */
async function move(
  context: Context,
  secret: Secret,
  label: string,
  changes: readonly LabelChange[],
  flags: Flags,
): Promise<void> {
  const from = label === AWSPREVIOUS ? changes[0]?.from : undefined;
  const look = async (now: Secret) => {
    if (from === undefined) return [];
    const spareness = await trySpare(context, now, label, from);
    const refusal = whyKept(spareness, `${label} of "${now.name}" was not taken off`, flags);
    if (refusal) throw refusal;
    return [spareness.seen];
  };
  await requireYes(
    context,
    [...(await look(secret)), ...changes.map(planOf)],
    `Move ${label} of ${secret.name}?`,
    flags,
  );
  await lookAgain(context, secret, `${label} of "${secret.name}" was not moved`, look);
  await changeLabels(context, secret, changes);
}
