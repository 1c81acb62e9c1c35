import { CancelRotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { AWSCURRENT, AWSPENDING, changesTo, unfinishedVersion, versionWith } from "@quarterturn/core";
import { ask } from "../aws.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { isInteractive } from "../io.ts";
import { changeLabels } from "../label-changes.ts";
import { tryVersion, type Verdict, wordsOf } from "../login.ts";
import type { Outcome } from "../output.ts";
import { isYes, requireYes, yesOption } from "../prompt.ts";
import { describe, type Secret } from "../secret.ts";

interface Flags {
  readonly clearPending?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
}

export const registerCancel: Register = (program, act) =>
  program
    .command("cancel <SECRET>")
    .description("Turns rotation off, also one in progress. rotate turns it on again.")
    .option("--clear-pending", "take AWSPENDING off a version that blocks later rotations")
    .option("--force", "with --clear-pending: although the database cannot be asked")
    .option(...yesOption)
    .action(act(cancel));

async function cancel(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const secret = await describe(context, secretId);
  const pending = unfinishedVersion(secret.versions);
  const isOn = secret.rotationEnabled === true;
  const clears = flags.clearPending === true ? pending : undefined;
  const about = { name: secret.name, arn: secret.arn, cancelled: isOn, cleared: clears ?? null, promoted: null };
  if (!isOn && clears === undefined) {
    const left =
      pending === undefined ? "nothing is pending" : `version ${pending} is still AWSPENDING (--clear-pending)`;
    return { data: about, text: () => `Rotation of ${secret.name} is off already, and ${left}.` };
  }
  if (clears !== undefined) {
    const promoted = await requireUnneeded(context, secret, clears, "nothing was changed", flags);
    if (promoted) return promoted;
  }
  const plan = [
    ...(isOn ? ["Rotation is turned off; function and schedule are kept"] : []),
    ...(clears === undefined ? [] : [`AWSPENDING is taken off version ${clears}`]),
  ];
  await requireYes(context, plan, `Cancel the rotation of ${secret.name}?`, flags);
  if (isOn) await turnOff(context, secret);
  if (clears !== undefined) {
    // A step that was running may have changed the password since the first look, or moved AWSCURRENT.
    const now = await describe(context, secret.arn);
    if (unfinishedVersion(now.versions) === clears) {
      await requireUnneeded(context, now, clears, "rotation was turned off", { ...flags, yes: true });
      await changeLabels(context, secret, [{ label: AWSPENDING, from: clears }]);
    }
  }
  const left = pending !== undefined && clears === undefined;
  return {
    data: about,
    text: (paint) =>
      [
        paint("green", `${plan.map((line) => line.replace(" is ", " was ")).join(". ")}.`),
        left
          ? `Version ${pending} is still AWSPENDING, and blocks later rotations: ${context.next("cancel", secret.name, "--clear-pending")}`
          : `To rotate again: ${context.next("rotate", secret.name, "--wait")}`,
      ].join("\n"),
  };
}

async function turnOff(context: Context, secret: Secret): Promise<void> {
  const command = new CancelRotateSecretCommand({ SecretId: secret.arn });
  await ask(context, secret.name, (options) => context.secretsManager.send(command, options));
}

/**
 * Makes sure, by logging in, that the pending value may go: without AWSPENDING nobody finds it any more but by its id.
 *
 * @param sofar what the command has changed until now
 * @returns what was done instead, where only the pending value works and the operator wanted that one to be AWSCURRENT
 * @throws Failure where AWSCURRENT does not work
 */
async function requireUnneeded(
  context: Context,
  secret: Secret,
  pending: string,
  sofar: string,
  flags: Flags,
): Promise<Outcome | undefined> {
  const current = versionWith(secret.versions, AWSCURRENT);
  const ofPending = await tryVersion(context, secret, pending);
  // Without a value it is nobody's password.
  if (ofPending.is === "no value") return undefined;
  const ofCurrent: Verdict = current === undefined ? { is: "no value" } : await tryVersion(context, secret, current);
  const seen = `AWSCURRENT ${wordsOf(ofCurrent)}; AWSPENDING ${wordsOf(ofPending)}`;
  if (ofCurrent.is === "accepted") {
    context.note(seen);
    return undefined;
  }
  const refuse = (next: string) =>
    new Failure("refused", `AWSPENDING of "${secret.name}" was not taken off, ${sofar}. ${seen}`, next);
  if (ofPending.is === "accepted") {
    const next = `AWSPENDING is the value that works: ${context.next("stage", secret.name, AWSCURRENT, pending)}`;
    if (flags.yes || !isInteractive(context.io)) throw refuse(next);
    context.note(seen);
    if (!(await isYes(context, "Only the pending value logs in. Make it AWSCURRENT?"))) throw refuse(next);
    return promote(context, secret, pending);
  }
  if (ofCurrent.is === "unknown" || ofPending.is === "unknown") {
    if (flags.force) return undefined;
    throw refuse("Correct that, or repeat the command with --force.");
  }
  throw refuse(`See which version does: ${context.next("recover", secret.name)}.`);
}

async function promote(context: Context, secret: Secret, pending: string): Promise<Outcome> {
  await changeLabels(context, secret, changesTo(secret.versions, AWSCURRENT, pending));
  return {
    data: { name: secret.name, arn: secret.arn, cancelled: false, cleared: null, promoted: pending },
    text: (paint) => paint("green", `Version ${pending} of ${secret.name} is AWSCURRENT. Rotation goes on as before.`),
  };
}
