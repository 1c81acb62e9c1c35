import { AWSCURRENT, changesTo } from "@quarterturn/core";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { changeLabels, planOf } from "../label-changes.ts";
import { tryVersion, wordsOf } from "../login.ts";
import type { Outcome } from "../output.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describe, type Secret } from "../secret.ts";

interface Flags {
  readonly force?: boolean;
  readonly yes?: boolean;
}

export const registerStage: Register = (program, act) =>
  program
    .command("stage <SECRET> <LABEL> <VERSION>")
    .description("Moves a label to a version. AWSCURRENT moves only to a version that logs in.")
    .option("--force", "AWSCURRENT: although nobody can say whether the version logs in")
    .option(...yesOption)
    .action(act(stage));

async function stage(
  context: Context,
  secretId: string,
  label: string,
  version: string,
  flags: Flags,
): Promise<Outcome> {
  const secret = await describe(context, secretId);
  const changes = changesTo(secret.versions, label, version);
  const about = { name: secret.name, arn: secret.arn, changes };
  if (changes.length === 0)
    return { data: about, text: () => `${label} of ${secret.name} is on version ${version} already.` };
  const proof = label === AWSCURRENT ? [await requireLogin(context, secret, version, flags)] : [];
  await requireYes(context, [...proof, ...changes.map(planOf)], `Move ${label} of ${secret.name}?`, flags);
  await changeLabels(context, secret, changes);
  return { data: about, text: (paint) => paint("green", `${label} of ${secret.name} is on version ${version}.`) };
}

/** Applications read AWSCURRENT: it must not become what does not log in. @returns what was seen */
async function requireLogin(context: Context, secret: Secret, version: string, { force }: Flags): Promise<string> {
  const verdict = await tryVersion(context, secret, version);
  const seen = `Version ${version} ${wordsOf(verdict)}`;
  if (verdict.is === "accepted" || (verdict.is === "unknown" && force)) return seen;
  const next = {
    refused: `See which version does: ${context.next("recover", secret.name)}.`,
    "no value": `See which versions there are: ${context.next("status", secret.name)}.`,
    unknown: "Correct that, or repeat the command with --force.",
  }[verdict.is];
  throw new Failure("refused", `AWSCURRENT of "${secret.name}" was not moved. ${seen}`, next);
}
