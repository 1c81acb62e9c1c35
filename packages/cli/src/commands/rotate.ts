import { RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { InvalidArgumentError } from "commander";
import { ask } from "../aws.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { functionLog } from "../function-log.ts";
import type { Outcome } from "../output.ts";
import { startProgress } from "../progress.ts";
import { type RotationEnd, type Sign, watchRotation } from "../rotation-watch.ts";
import { describe, type Secret } from "../secret.ts";
import { lengthOf } from "../times.ts";

interface Flags {
  readonly wait?: boolean;
  readonly timeout: number;
}

export const registerRotate: Register = (program, act) =>
  program
    .command("rotate <SECRET>")
    .description("Begins a rotation; with --wait, follows it to its end.")
    .option("--wait", "until the new version is AWSCURRENT, or the rotation has failed")
    .option("--timeout <SECONDS>", "how long to wait", readSeconds, 600)
    .action(act(rotate));

export function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds > 0) return seconds;
  throw new InvalidArgumentError("It is a whole number of seconds.");
}

async function rotate(context: Context, secretId: string, { wait, timeout }: Flags): Promise<Outcome> {
  const { io, secretsManager } = context;
  const began = io.now();
  const { VersionId: version = "" } = await ask(context, secretId, (options) =>
    secretsManager.send(new RotateSecretCommand({ SecretId: secretId }), options),
  );
  const secret = await describe(context, secretId);
  if (!wait) {
    return {
      data: { name: secret.name, arn: secret.arn, version, outcome: "started" },
      text: () =>
        `The rotation of ${secret.name} to version ${version} has begun. See how far it is: ${context.next("status", secret.name)}`,
    };
  }
  return followToEnd(context, secret, version, began, timeout);
}

/** Waits for the end of a rotation that has begun. @param timeout in seconds */
export async function followToEnd(
  context: Context,
  secret: Secret,
  version: string,
  began: Date,
  timeout: number,
): Promise<Outcome> {
  const { io } = context;
  const signs: Sign[] = [];
  const rotationEnd = await follow(context, secret, version, began, timeout * 1000, signs);
  const seconds = Math.round((io.now().getTime() - began.getTime()) / 1000);
  return {
    data: {
      name: secret.name,
      arn: secret.arn,
      version,
      outcome: rotationEnd.is,
      reason: rotationEnd.is === "failed" ? rotationEnd.why : null,
      seconds,
      signs,
    },
    text: (paint) =>
      rotationEnd.is === "current"
        ? paint("green", `Version ${version} of ${secret.name} is AWSCURRENT, after ${lengthOf(seconds * 1000)}.`)
        : "",
    ...failureOf(rotationEnd, secret, timeout, context),
  };
}

async function follow(
  context: Context,
  secret: Secret,
  version: string,
  began: Date,
  timeoutMs: number,
  signs: Sign[],
): Promise<RotationEnd> {
  const { io, note } = context;
  using log = functionLog(context, secret.functionArn ?? "", version, began);
  using progress = startProgress(io, `Rotating ${secret.name}`);
  return watchRotation(context, secret, version, log, timeoutMs, (sign) => {
    signs.push(sign);
    note(lineOf(sign));
    if (sign.is === "log") progress.show(`Rotating ${secret.name}: ${sign.step}`);
  });
}

function lineOf(sign: Sign): string {
  const time = sign.time.toISOString().slice(11, 19);
  if (sign.is === "log")
    return `${time}  ${sign.step.padEnd(12)}  ${sign.failure === undefined ? sign.message : `failed: ${sign.failure}`}`;
  const labels = Object.entries(sign.versions).flatMap(([id, each]) =>
    each.map((label) => `${label} ${id.slice(0, 8)}`),
  );
  return `${time}  ${labels.sort().join(", ")}`;
}

function failureOf(end: RotationEnd, secret: Secret, timeout: number, context: Context): { failure?: Failure } {
  if (end.is === "current") return {};
  const { name, functionArn = "" } = secret;
  if (end.is === "failed") {
    const next = `When the reason is gone: ${context.next("cancel", name, "--clear-pending")}; then rotate again. What the codes mean: docs/errors.md.`;
    return { failure: new Failure("failed", `The rotation of ${name} failed: ${end.why.replace(/\.$/, "")}`, next) };
  }
  const next = `It may go on: ${context.next("status", name)}. What the function says: aws logs tail /aws/lambda/${functionArn.split(":").at(-1)} --since 1h.`;
  return { failure: new Failure("timed-out", `The rotation of ${name} has not ended within ${timeout} s`, next) };
}
