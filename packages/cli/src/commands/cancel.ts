import { CancelRotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { AWSCURRENT, AWSPENDING, changesTo, type LabelChange, unfinishedVersion } from "@quarterturn/core";
import { lookAgain } from "../as-seen.ts";
import { ask } from "../aws.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { after } from "../failure.ts";
import { isInteractive } from "../io.ts";
import { changeLabels, doneOf, planOf } from "../label-changes.ts";
import type { Outcome } from "../output.ts";
import { promote } from "../promotion.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describe, type Secret } from "../secret.ts";
import { requireSpare, trySpare } from "../spare-version.ts";

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
  const about = { name: secret.name, arn: secret.arn, cancelled: isOn, cleared: null, promoted: null };
  if (!isOn && clears === undefined) {
    const left =
      pending === undefined ? "nothing is pending" : `version ${pending} is still AWSPENDING (--clear-pending)`;
    return { data: about, text: () => `Rotation of ${secret.name} is off already, and ${left}.` };
  }
  const plan: string[] = [];
  if (clears !== undefined) {
    const { seen, refusal } = await trySpare(context, secret, AWSPENDING, clears, flags);
    plan.push(seen);
    if (refusal) {
      if (flags.yes || !isInteractive(context.io)) throw refusal;
      const changes = changesTo(secret.versions, AWSCURRENT, clears);
      await promote(context, secret, clears, changes, [seen, "Only the pending value logs in"], flags);
      const told = `Version ${clears} of ${secret.name} is AWSCURRENT. Rotation goes on as before.`;
      return { data: { ...about, cancelled: false, promoted: clears }, text: (paint) => paint("green", told) };
    }
  }
  if (isOn) plan.push("Rotation is turned off; function and schedule are kept");
  const changes: LabelChange[] = clears === undefined ? [] : [{ label: AWSPENDING, from: clears }];
  await requireYes(context, [...plan, ...changes.map(planOf)], `Cancel the rotation of ${secret.name}?`, flags);
  if (isOn) await turnOff(context, secret);
  return after(isOn ? "Rotation was turned off" : "", async () => {
    // A step that was running may have ended the rotation since the first look, or have changed the password.
    const { versions } = await describe(context, secret.arn);
    const left = unfinishedVersion(versions);
    const isCleared = clears !== undefined && left === clears;
    if (isCleared) {
      await lookAgain(
        context,
        { ...secret, rotationEnabled: false },
        `AWSPENDING of "${secret.name}" was not taken off`,
        (now) => requireSpare(context, now, AWSPENDING, clears, flags),
      );
      await changeLabels(context, secret, changes);
    }
    const done = [
      ...(isOn ? ["Rotation was turned off; function and schedule are kept"] : []),
      ...(isCleared ? changes.map(doneOf) : []),
      ...(pending !== undefined && left !== pending ? [`The rotation to version ${pending} had ended meanwhile`] : []),
    ];
    const next =
      left === undefined || isCleared
        ? `To rotate again: ${context.next("rotate", secret.id, "--wait")}`
        : `Version ${left} is still AWSPENDING, and blocks later rotations: ${context.next("cancel", secret.id, "--clear-pending")}`;
    return {
      data: { ...about, cleared: isCleared ? clears : null },
      text: (paint) => [paint("green", `${done.join(". ")}.`), next].join("\n"),
    };
  });
}

async function turnOff(context: Context, secret: Secret): Promise<void> {
  const command = new CancelRotateSecretCommand({ SecretId: secret.arn });
  await ask(context, secret.name, (options) => context.secretsManager.send(command, options));
}
