import { isDeepStrictEqual } from "node:util";
import { RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { Option } from "commander";
import { lookAgain, requireFinished } from "../as-seen.ts";
import { ask } from "../aws.ts";
import { notInvoked } from "../aws-failure.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { productOf } from "../engines.ts";
import { after, Failure } from "../failure.ts";
import { databaseVersion, objectIn } from "../login.ts";
import type { Outcome } from "../output.ts";
import { requireYes, yesOption } from "../prompt.ts";
import {
  functionFor,
  functionNamed,
  functionThatStays,
  nameIn,
  type RotationFunction,
  type Target,
} from "../rotation-functions.ts";
import {
  type RotationRules,
  rulesFrom,
  rulesOf,
  type ScheduleFlags,
  saysWhen,
  scheduleOptions,
  windowAfter,
  wordsOfRules,
} from "../rotation-rules.ts";
import { describe, describePrimary, type Secret } from "../secret.ts";
import { minuteOf } from "../times.ts";
import { readCurrent } from "../version.ts";
import { followToEnd, readSeconds } from "./rotate.ts";

interface Flags extends ScheduleFlags {
  readonly function?: string;
  readonly notNow?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly yes?: boolean;
}

export const registerEnable: Register = (program, act) => {
  const command = program
    .command("enable <SECRET>")
    .description("Turns rotation on: sets the function and the schedule, and rotates at once.")
    .option("--function <NAME|ARN>", "if absent, the one that it has, else one that is found");
  for (const option of scheduleOptions) command.addOption(option);
  return command
    .option("--not-now", "not at once: AWS makes a test call of the function, no rotation")
    .addOption(new Option("--wait", "until the rotation has ended, as rotate --wait").conflicts("notNow"))
    .option("--timeout <SECONDS>", "how long to wait", readSeconds, 600)
    .option(...yesOption)
    .action(act(enable));
};

async function enable(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const { io } = context;
  // What is wrong whatever the secret is, is said before AWS is asked.
  if (saysWhen(flags)) rulesOf(flags, io.now());
  const secret = await describePrimary(context, secretId);
  const undone = `"${secret.name}" was left as it is`;
  // The service would refuse it, and try the unfinished one again.
  requireFinished(context, secret, undone);
  if (secret.owningService !== undefined)
    throw new Failure("refused", `${undone}: ${secret.owningService} manages it, and rotates it itself`);
  const rules = rulesOf(flags, io.now(), rulesFrom(secret));
  const target = await targetOf(context, secret);
  const chosen = await chooseFunction(context, target, flags.function);
  const plan = planOf(secret, chosen, rules, flags, io.now());
  await requireYes(context, plan, `Turn on the rotation of ${secret.name}?`, flags);
  await lookAgain(context, secret, undone, async () => undefined);

  const began = io.now();
  const version = await begin(context, secret, chosen, rules, flags);
  const now = await after(
    `Rotation of "${secret.name}" was turned on`,
    () => describe(context, secret.id),
    `See how it is: ${context.next("status", secret.id)}`,
  );
  const about = { name: now.name, arn: now.arn, functionArn: chosen.arn, schedule: now.schedule ?? null };
  if (flags.wait) {
    const followed = await followToEnd(context, now, version, began, flags.timeout);
    return { ...followed, data: { ...about, ...followed.data } };
  }
  return {
    data: {
      ...about,
      version: flags.notNow ? null : version,
      outcome: flags.notNow ? "tested" : "started",
      reason: null,
      seconds: null,
      signs: [],
    },
    text: (paint) =>
      [paint("green", `Rotation of ${now.name} is on.`), ...nextOf(context, now, chosen, flags)].join("\n"),
  };
}

async function chooseFunction(context: Context, target: Target, named: string | undefined): Promise<RotationFunction> {
  if (named !== undefined) return functionNamed(context, target, named);
  const { functionArn } = target.secret;
  const kept = functionArn === undefined ? undefined : await functionThatStays(context, target, functionArn);
  return kept ?? functionFor(context, target);
}

function nextOf(
  context: Context,
  { id, nextRotation }: Secret,
  { arn }: RotationFunction,
  { notNow }: Flags,
): string[] {
  const next = nextRotation ? [`The next one is by ${minuteOf(nextRotation)}.`] : [];
  return notNow
    ? [
        ...next,
        `How the test went is in the log of ${nameIn(arn)} alone (testSecret). To rotate: ${context.next("rotate", id, "--wait")}`,
      ]
    : [`It rotates now. See how far it is: ${context.next("status", id)}`, ...next];
}

/** @throws Failure where the value is of a database, and lacks what any function needs */
async function targetOf(context: Context, secret: Secret): Promise<Target> {
  const text = await readCurrent(context, secret.id);
  const json = objectIn(text);
  const engine = json?.engine;
  if (typeof engine !== "string") {
    const lacking = json ? 'has no "engine"' : "is not a JSON object";
    context.note(`The secret's value ${lacking}, so nobody here knows which functions are for it.`);
    return { secret };
  }
  if (productOf(engine) === undefined) return { secret, engine };
  const { value } = await databaseVersion(text, "AWSCURRENT");
  return { secret, engine, namesAdmin: value.masterarn !== undefined };
}

function planOf(
  secret: Secret,
  { arn, application }: RotationFunction,
  rules: RotationRules | undefined,
  { notNow }: Flags,
  now: Date,
): string[] {
  const before = rulesFrom(secret);
  const then = rules ?? before ?? {};
  const kind = application
    ? `${application.rotates}, ${application.strategy}`
    : "whether it is for this secret is not known";
  const instead = (words: string) => `, instead of ${words}`;
  const isOther = secret.functionArn !== undefined && secret.functionArn !== arn;
  const isRescheduled = before !== undefined && !isDeepStrictEqual(before, then);
  const window = windowAfter(then, now);
  return [
    `Function: ${arn} (${kind})${isOther ? instead(secret.functionArn ?? "") : ""}`,
    `Schedule: ${wordsOfRules(then)}${isRescheduled ? instead(wordsOfRules(before)) : ""}`,
    notNow
      ? "Now: nothing is rotated; AWS makes a test call of the function (testSecret alone)"
      : "Now: the secret is rotated at once, which changes its value",
    ...(notNow && secret.rotationEnabled && !then.ScheduleExpression?.startsWith("cron")
      ? ["A rotation that was due already may still take place at once, says AWS; with a cron() schedule none does"]
      : []),
    ...(window === undefined ? [] : [`Next: in the window from ${window}`]),
  ];
}

async function begin(
  context: Context,
  secret: Secret,
  { arn }: RotationFunction,
  rules: RotationRules | undefined,
  { notNow }: Flags,
): Promise<string> {
  const command = new RotateSecretCommand({
    SecretId: secret.arn,
    RotationLambdaARN: arn,
    ...(rules && { RotationRules: rules }),
    RotateImmediately: !notNow,
  });
  const { VersionId = "" } = await ask(context, secret.id, (options) =>
    context.secretsManager.send(command, options).catch((error: unknown) => {
      throw notInvoked(error, context, secret, arn, `Rotation of "${secret.name}" was not turned on`);
    }),
  );
  return VersionId;
}
