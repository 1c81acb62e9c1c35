import { AWSCURRENT, AWSPREVIOUS, changesTo, unfinishedVersion, versionWith } from "@quarterturn/core";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { changeLabels, planOf } from "../label-changes.ts";
import { databaseVersion, tryVersion, wordsOf } from "../login.ts";
import type { Outcome } from "../output.ts";
import { adminSecretOption, restorationPlan, restorePassword } from "../password-restoration.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describe, type Secret } from "../secret.ts";
import { readVersion } from "../version.ts";

interface Flags {
  readonly restorePassword?: boolean;
  readonly adminSecret?: string;
  readonly yes?: boolean;
}

export const registerRollback: Register = (program, act) =>
  program
    .command("rollback <SECRET>")
    .description("Moves AWSCURRENT back to AWSPREVIOUS, if that still logs in.")
    .option("--restore-password", "where it is refused, set its password again, as the admin")
    .option(...adminSecretOption)
    .option(...yesOption)
    .action(act(rollback));

async function rollback(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const secret = await describe(context, secretId);
  const previous = requirePrevious(context, secret);
  const verdict = await tryVersion(context, secret, previous);
  const seen = `AWSPREVIOUS, version ${previous}, ${wordsOf(verdict)}`;
  const restores = verdict.is === "refused" && flags.restorePassword === true;
  if (verdict.is !== "accepted" && !restores) {
    const next = {
      refused: "With --restore-password an admin sets its password again.",
      unknown: `Correct that; or move the label without proof: ${context.next("stage", secret.name, AWSCURRENT, previous, "--force")}`,
      "no value": "",
    }[verdict.is];
    throw new Failure("refused", `AWSCURRENT of "${secret.name}" was not moved. ${seen}`, next);
  }
  const version = restores
    ? await databaseVersion((await readVersion(context, secret, previous)) ?? "", "AWSPREVIOUS")
    : undefined;
  const changes = changesTo(secret.versions, AWSCURRENT, previous);
  const plan = [seen, ...(version ? [restorationPlan(version, "AWSPREVIOUS")] : []), ...changes.map(planOf)];
  await requireYes(context, plan, `Roll ${secret.name} back?`, flags);
  if (version) await restorePassword(context, secret, version, flags);
  await changeLabels(context, secret, changes);
  return {
    data: { name: secret.name, arn: secret.arn, passwordRestored: restores, changes },
    text: (paint) => paint("green", `Version ${previous} of ${secret.name} is AWSCURRENT again, and logs in.`),
  };
}

function requirePrevious(context: Context, { name, versions }: Secret): string {
  const unfinished = unfinishedVersion(versions);
  if (unfinished !== undefined) {
    throw new Failure(
      "refused",
      `"${name}" was not rolled back: a rotation to version ${unfinished} is not finished, and would move AWSCURRENT again`,
      `End it first: ${context.next("cancel", name, "--clear-pending")}`,
    );
  }
  const previous = versionWith(versions, AWSPREVIOUS);
  if (previous !== undefined) return previous;
  throw new Failure(
    "refused",
    `"${name}" has no version that is AWSPREVIOUS, so there is nothing to go back to`,
    `See whether an older version logs in: ${context.next("recover", name)}`,
  );
}
