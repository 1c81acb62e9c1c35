import { CancelRotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { AWSCURRENT, AWSPENDING, changesTo, type LabelChange, unfinishedVersion } from "@quarterturn/core";
import { lookAgain } from "../as-seen.ts";
import { ask } from "../aws.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { after, type Failure } from "../failure.ts";
import { isInteractive } from "../io.ts";
import { changeLabels, doneOf, planOf } from "../label-changes.ts";
import type { Outcome } from "../output.ts";
import { promote } from "../promotion.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describe, describePrimary, type Secret } from "../secret.ts";
import { type Spareness, trySpare, whyGoesOn, whyKept } from "../spare-version.ts";

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
    .option("--force", "although the database cannot be asked")
    .option(...yesOption)
    .action(act(cancel));

async function cancel(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const secret = await describePrimary(context, secretId);
  const pending = unfinishedVersion(secret.versions);
  const isOn = secret.rotationEnabled === true;
  const clears = flags.clearPending === true ? pending : undefined;
  const about = {
    name: secret.name,
    arn: secret.arn,
    cancelled: isOn,
    pending: pending ?? null,
    cleared: null,
    promoted: null,
  };
  if (!isOn && clears === undefined) {
    const left =
      pending === undefined ? "nothing is pending" : `version ${pending} is still AWSPENDING (--clear-pending)`;
    return { data: about, text: () => `Rotation of ${secret.name} is off already, and ${left}.` };
  }
  const notTakenOff = `AWSPENDING of "${secret.name}" was not taken off`;
  const undone = clears === undefined ? `Rotation of "${secret.name}" was not turned off` : notTakenOff;
  const look = (now: Secret, what: string) => lookAtPending(context, now, what, flags);

  const seen = await look(secret, clears !== undefined && isOn ? `${undone}, and rotation is still on` : undone);
  if (seen?.refusal) {
    if (seen.is !== "needed" || flags.yes || !isInteractive(context.io)) throw seen.refusal;
    const changes = changesTo(secret.versions, AWSCURRENT, seen.version);
    // --force is about AWSPENDING: AWSCURRENT goes to what logs in.
    await promote(context, secret, seen.version, changes, [seen.seen, "Only the pending value logs in"], {});
    const told = `Version ${seen.version} of ${secret.name} is AWSCURRENT.${isOn ? " Rotation goes on as before." : ""}`;
    const data = { ...about, cancelled: false, pending: null, promoted: seen.version };
    return { data, text: (paint) => paint("green", told) };
  }
  const changes: LabelChange[] = clears === undefined ? [] : [{ label: AWSPENDING, from: clears }];
  const plan = [
    ...(seen ? [seen.seen] : []),
    ...(isOn ? ["Rotation is turned off; function and schedule are kept"] : []),
    ...changes.map(planOf),
  ];
  await requireYes(context, plan, `Cancel the rotation of ${secret.name}?`, flags);
  await lookAgain(context, secret, undone, async (now) => refuse(await look(now, undone)));
  if (isOn) await turnOff(context, secret);
  return after(isOn ? "Rotation was turned off" : "", async () => {
    // A step that was running may have ended the rotation since, or have changed the password.
    const now = isOn ? await describe(context, secret.id) : secret;
    const last = isOn ? await look(now, notTakenOff) : seen;
    refuse(last);
    const left = last?.version;
    const isCleared = clears !== undefined && left === clears;
    if (isCleared) await changeLabels(context, secret, changes);
    const done = [
      ...(isOn ? ["Rotation was turned off; function and schedule are kept"] : []),
      ...(isCleared ? changes.map(doneOf) : []),
      ...(pending !== undefined && left !== pending ? [`The rotation to version ${pending} had ended meanwhile`] : []),
    ];
    return {
      data: { ...about, pending: isCleared ? null : (left ?? null), cleared: isCleared ? clears : null },
      text: (paint) =>
        [paint("green", `${done.join(". ")}.`), nextOf(context, secret, isCleared ? undefined : last)].join("\n"),
    };
  });
}

interface Pending extends Spareness {
  readonly version: string;
  /** Why rotation may not be turned off, or the label not taken off. */
  readonly refusal?: Failure;
}

/** Logs in with both values of a rotation that is not finished; undefined where there is none. */
async function lookAtPending(
  context: Context,
  secret: Secret,
  undone: string,
  flags: Flags,
): Promise<Pending | undefined> {
  const version = unfinishedVersion(secret.versions);
  if (version === undefined) return undefined;
  const spareness = await trySpare(context, secret, AWSPENDING, version);
  const refusal = (flags.clearPending ? whyKept : whyGoesOn)(spareness, undone, flags);
  return { ...spareness, version, ...(refusal && { refusal }) };
}

function refuse(pending: Pending | undefined): void {
  if (pending?.refusal) throw pending.refusal;
}

function nextOf(context: Context, { id }: Secret, left: Pending | undefined): string {
  if (left === undefined) return `To rotate again: ${context.next("rotate", id, "--wait")}`;
  if (left.is === "neither works") return `Neither AWSCURRENT nor AWSPENDING logs in. ${left.next}`;
  return `Version ${left.version} is still AWSPENDING, and blocks later rotations: ${context.next("cancel", id, "--clear-pending")}`;
}

async function turnOff(context: Context, secret: Secret): Promise<void> {
  const command = new CancelRotateSecretCommand({ SecretId: secret.arn });
  await ask(context, secret.id, (options) => context.secretsManager.send(command, options));
}
