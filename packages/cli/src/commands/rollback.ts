import { AWSCURRENT, AWSPREVIOUS, changesTo, RotationError, versionWith } from "@quarterturn/core";
import { requireFinished } from "../as-seen.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { type DatabaseVersion, differenceOf, readDatabaseVersion, tryVersion, wordsOf } from "../login.ts";
import type { Outcome } from "../output.ts";
import { adminSecretOption, restorePassword } from "../password-restoration.ts";
import { promote } from "../promotion.ts";
import { yesOption } from "../prompt.ts";
import { describePrimary, type Secret } from "../secret.ts";

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
  const secret = await describePrimary(context, secretId);
  requireFinished(context, secret, `AWSCURRENT of "${secret.name}" was not moved`);
  const previous = requirePrevious(context, secret);
  const stage = (...more: string[]) => context.next("stage", secret.id, AWSCURRENT, previous, ...more);
  const version = await readUsable(context, secret, previous);
  const current = await readUsable(context, secret, versionWith(secret.versions, AWSCURRENT) ?? "");
  const difference = version && current && differenceOf(current, version);
  if (difference !== undefined)
    throw notMoved(secret, `AWSPREVIOUS, version ${previous}, is of ${difference}`, `If that is meant: ${stage()}`);

  const verdict = await tryVersion(context, secret, previous);
  const seen = `AWSPREVIOUS, version ${previous}, ${wordsOf(verdict)}`;
  const restores = verdict.is === "refused" && flags.restorePassword === true;
  if (verdict.is !== "accepted" && !restores) {
    const next = {
      refused: "With --restore-password an admin sets its password again.",
      unknown: `Correct that; or move the label without proof: ${stage("--force")}`,
      "no value": "",
    }[verdict.is];
    throw notMoved(secret, seen, next);
  }
  const changes = changesTo(secret.versions, AWSCURRENT, previous);
  if (!restores) await promote(context, secret, previous, changes, [seen], flags);
  else if (version && current)
    await restorePassword(context, secret, { ...version, id: previous, label: AWSPREVIOUS }, changes, [seen], flags);
  else {
    const why = `${seen}, and AWSCURRENT cannot be read, so nobody can say whether it is of the same user`;
    throw notMoved(secret, why, `See which version logs in: ${context.next("recover", secret.id)}`);
  }
  return {
    data: { name: secret.name, arn: secret.arn, passwordRestored: restores, changes },
    text: (paint) => paint("green", `Version ${previous} of ${secret.name} is AWSCURRENT again, and logs in.`),
  };
}

const notMoved = ({ name }: Secret, why: string, next: string) =>
  new Failure("refused", `AWSCURRENT of "${name}" was not moved. ${why}`, next);

/** A version's value; undefined also where it is not one that can be logged in with. */
async function readUsable(context: Context, secret: Secret, id: string): Promise<DatabaseVersion | undefined> {
  try {
    return await readDatabaseVersion(context, secret, id);
  } catch (error) {
    if (error instanceof RotationError) return undefined;
    throw error;
  }
}

function requirePrevious(context: Context, { id, name, versions }: Secret): string {
  const previous = versionWith(versions, AWSPREVIOUS);
  if (previous !== undefined) return previous;
  throw new Failure(
    "refused",
    `"${name}" has no version that is AWSPREVIOUS, so there is nothing to go back to`,
    `See whether an older version logs in: ${context.next("recover", id)}`,
  );
}
