import { RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { InvalidArgumentError } from "commander";
import { lookAgain, requireFinished } from "../as-seen.ts";
import { ask } from "../aws.ts";
import { notInvoked } from "../aws-failure.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { after, Failure } from "../failure.ts";
import { functionLog } from "../function-log.ts";
import type { Outcome } from "../output.ts";
import { startProgress } from "../progress.ts";
import { requireYes } from "../prompt.ts";
import { rulesFrom, wordsOfRules } from "../rotation-rules.ts";
import { type RotationEnd, type Sign, watchRotation } from "../rotation-watch.ts";
import { describePrimary, type Secret } from "../secret.ts";
import { lengthOf } from "../times.ts";

interface Flags {
  readonly wait?: boolean;
  readonly timeout: number;
  readonly yes?: boolean;
}

export const registerRotate: Register = (program, act) =>
  program
    .command("rotate <SECRET>")
    .description("Begins a rotation; with --wait, follows it to its end.")
    .option("--wait", "until the new version is AWSCURRENT, or the rotation has failed")
    .option("--timeout <SECONDS>", "how long to wait", readSeconds, 600)
    .option("--yes", "where rotation is off, turn it on again without asking")
    .action(act(rotate));

export function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds > 0) return seconds;
  throw new InvalidArgumentError("It is a whole number of seconds.");
}

async function rotate(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const { io, secretsManager } = context;
  // First, so that whoever may not look at the secret begins nothing.
  const secret = await describePrimary(context, secretId);
  if (secret.rotationEnabled === false) await requireOn(context, secret, flags);
  const began = io.now();
  const { VersionId: version = "" } = await ask(context, secretId, (options) =>
    secretsManager.send(new RotateSecretCommand({ SecretId: secretId }), options).catch((error: unknown) => {
      const undone = `No rotation of "${secret.name}" was begun`;
      throw notInvoked(error, context, secret, secret.functionArn, undone);
    }),
  );
  if (flags.wait) return followToEnd(context, secret, version, began, flags.timeout);
  return {
    data: { name: secret.name, arn: secret.arn, version, outcome: "started", reason: null, seconds: null, signs: [] },
    text: () =>
      `The rotation of ${secret.name} to version ${version} has begun. See how far it is: ${context.next("status", secret.id)}`,
  };
}

/** The service turns a rotation on again that was cancelled: not without a yes, since somebody may have had a reason. @throws Failure */
async function requireOn(context: Context, secret: Secret, flags: Flags): Promise<void> {
  const undone = `Rotation of "${secret.name}" was left off`;
  requireFinished(context, secret, undone);
  const rules = rulesFrom(secret);
  const plan = `Rotation is off: it is turned on again${rules ? ` (${wordsOfRules(rules)})` : ""}, and rotates now`;
  await requireYes(context, [plan], `Turn on the rotation of ${secret.name} again?`, flags);
  await lookAgain(context, secret, undone, async () => undefined);
}

/** Waits for the end of a rotation that has begun. @param timeout in seconds */
export async function followToEnd(
  context: Context,
  secret: Secret,
  version: string,
  began: Date,
  timeout: number,
): Promise<Outcome> {
  const { id, name, arn } = secret;
  const { end, signs, logGroup } = await after(
    `The rotation to version ${version} was begun`,
    () => follow(context, secret, version, began, timeout * 1000),
    // Not the same command again, which would begin another one.
    `See how far it is: ${context.next("status", id)}`,
  );
  const seconds = Math.round((context.io.now().getTime() - began.getTime()) / 1000);
  const failure = failureOf(end, version, secret, logGroup, timeout, context);
  const reason = end.is === "failed" ? end.why : null;
  return {
    data: { name, arn, version, outcome: end.is, reason, seconds, signs },
    text: (paint) =>
      failure ? "" : paint("green", `Version ${version} of ${name} is AWSCURRENT, after ${lengthOf(seconds * 1000)}.`),
    ...(failure && { failure }),
  };
}

interface Followed {
  readonly end: RotationEnd;
  readonly signs: readonly Sign[];
  readonly logGroup: string | undefined;
}

async function follow(
  context: Context,
  secret: Secret,
  version: string,
  began: Date,
  timeoutMs: number,
): Promise<Followed> {
  const { io, note } = context;
  using log = functionLog(context, secret.functionArn, version, began);
  using progress = startProgress(io, `Rotating ${secret.name}`);
  const signs: Sign[] = [];
  const end = await watchRotation(context, secret, version, log, timeoutMs, (sign) => {
    signs.push(sign);
    note(lineOf(sign));
    if (sign.is === "log") progress.show(`Rotating ${secret.name}: ${sign.step}`);
  });
  return { end, signs, logGroup: log.group };
}

function lineOf(sign: Sign): string {
  const time = sign.time.toISOString().slice(11, 19);
  if (sign.is === "log")
    return `${time}  ${sign.step.padEnd(12)}  ${sign.failure === null ? sign.message : `failed: ${sign.failure}`}`;
  const labels = Object.entries(sign.versions).flatMap(([id, each]) =>
    each.map((label) => `${label} ${id.slice(0, 8)}`),
  );
  return `${time}  ${labels.sort().join(", ")}`;
}

function failureOf(
  end: RotationEnd,
  version: string,
  { id, name, functionArn }: Secret,
  logGroup: string | undefined,
  timeout: number,
  context: Context,
): Failure | undefined {
  switch (end.is) {
    case "current":
      return undefined;
    case "superseded": {
      const now = end.by === undefined ? "no version is" : `version ${end.by} is`;
      const next = `See how the secret is: ${context.next("status", id)}`;
      return new Failure("failed", `Version ${version} of ${name} was AWSCURRENT, and ${now} now`, next);
    }
    case "failed": {
      const free = end.blocks ? `${context.next("cancel", id, "--clear-pending")}; then ` : "";
      const next = `When the reason is gone: ${free}${context.next("rotate", id, "--wait")}. What the codes mean: docs/errors.md.`;
      return new Failure("failed", `The rotation of ${name} failed: ${end.why.replace(/\.$/, "")}`, next);
    }
    case "timed-out": {
      const next = `It may go on: ${context.next("status", id)}; end it: ${context.next("cancel", id, "--clear-pending")}.${logOf(functionArn, logGroup, context)}`;
      return new Failure("timed-out", `The rotation of ${name} has not ended within ${timeout} s`, next);
    }
  }
}

/** How to see what the function says, after another sentence; nothing where there is none. */
function logOf(functionArn: string | undefined, logGroup: string | undefined, { aws }: Context): string {
  if (logGroup !== undefined) return ` What its function says: ${aws("logs", "tail", logGroup, "--since", "1h")}.`;
  if (functionArn === undefined) return "";
  const query = ["--function-name", functionArn, "--query", "LoggingConfig.LogGroup"];
  return ` Where its function's log is: ${aws("lambda", "get-function-configuration", ...query)}.`;
}
