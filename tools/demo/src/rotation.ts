import { setTimeout as sleep } from "node:timers/promises";
import { DescribeSecretCommand, RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import type { RotationEvent } from "@quarterturn/local";
import type { Application, Attempt } from "./application.ts";
import type { Environment } from "./environment.ts";
import type { Login } from "./login-log.ts";
import type { Chapter } from "./story.ts";

export type Step = RotationEvent["Step"];

/** Version ids to their labels. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/** One step as it is seen from outside. */
export interface StepRecord {
  readonly name: Step;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  endedAt?: number;
  /** While it ran; for the last step: after it. */
  labels?: Labels;
  /** The function's calls of Secrets Manager. */
  apiCalls: readonly string[];
}

/** What is known of a rotation. It grows while the rotation runs. */
export interface RotationRecord {
  readonly chapter: Pick<Chapter, "strategy" | "window" | "unit">;
  readonly before: Labels;
  /** The labels when RotateSecret had answered. */
  requested?: Labels;
  readonly steps: StepRecord[];
  /** Why it failed, in the function's words. */
  failure?: string;
  /** The application's rounds, from some time before the rotation to some time after it. */
  attempts: readonly Attempt[];
  /** The server's logins in the same time, the application's included. */
  logins: readonly Login[];
}

export interface Observers {
  readonly environment: Environment;
  readonly application: Application;
  readonly signal: AbortSignal;
  /** Shows how far it is. */
  readonly show: (record: RotationRecord) => void;
}

/** How long the application is watched before and after a rotation, and the pause before each step, in milliseconds. */
export interface Pace {
  readonly before: number;
  readonly after: number;
  pauseBefore(step: Step): number;
}

const POLL_MS = 50;

/** Rounds of the application after a rotation, without which nothing would be known about what came of it. */
export const ROUNDS_AFTERWARDS = 20;

/** Rotates the secret once and watches. A rotation that fails is a record with a failure; only an interruption is thrown. */
export async function rotate(chapter: Chapter, pace: Pace, observers: Observers): Promise<RotationRecord> {
  const { environment, application, signal, show } = observers;
  const { client, server, secrets, endpoint, functionCalls } = environment;
  const { loginLog } = server;
  const secretId = secrets[chapter.strategy].name;
  const firstAttempt = application.attempts.length;
  const firstLogin = loginLog.logins.length;
  const record: RotationRecord = { chapter, before: await labels(), steps: [], attempts: [], logins: [] };

  environment.watchSteps(async (name, invoke) => {
    await sleep(pace.pauseBefore(name), undefined, { signal });
    const firstCall = functionCalls.calls.length;
    const step: StepRecord = { name, startedAt: Date.now(), apiCalls: [] };
    record.steps.push(step);
    // Beside the step, so as not to make it longer. What finishSecret moves is seen afterwards.
    const meanwhile = labels().then((seen) => {
      step.labels = seen;
    });
    try {
      await invoke();
    } finally {
      step.endedAt = Date.now();
      step.apiCalls = functionCalls.calls.slice(firstCall);
      await meanwhile;
    }
  });

  await watchUntil(sleep(pace.before, undefined, { signal }));
  const firstEvent = endpoint.events.length;
  await client.send(
    new RotateSecretCommand({
      SecretId: secretId,
      RotationLambdaARN: endpoint.functionArn(chapter.strategy),
      RotationRules: { AutomaticallyAfterDays: 30 },
    }),
  );
  record.requested = await labels();
  await watchUntil(endpoint.settled(secretId));
  const lastStep = record.steps.at(-1);
  if (lastStep) lastStep.labels = await labels();
  const failed = endpoint.events.slice(firstEvent).find(({ name }) => name === "RotationFailed");
  if (failed && "message" in failed) record.failure = failed.message ?? "RotationFailed";

  const enough = application.attempts.length + ROUNDS_AFTERWARDS;
  await watchUntil(sleep(pace.after, undefined, { signal }));
  while (application.attempts.length <= enough) await watchUntil(sleep(POLL_MS, undefined, { signal }));
  return record;

  async function labels(): Promise<Labels> {
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: secretId }));
    return VersionIdsToStages ?? {};
  }

  async function watchUntil(end: Promise<unknown>): Promise<void> {
    const ended = end.then(() => true);
    let isOver = false;
    do {
      isOver = await Promise.race([ended, sleep(POLL_MS, false, { signal })]);
      await loginLog.update();
      record.logins = loginLog.logins.slice(firstLogin);
      record.attempts = application.attempts.slice(firstAttempt);
      show(record);
    } while (!isOver);
  }
}
