import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventLog, RotationEventName, Step } from "./event-log.ts";
import { withoutValuesOf } from "./redaction.ts";
import { type InvocationOutcome, invoke, type RotationFunction } from "./rotation-function.ts";
import { nextWindow } from "./schedule.ts";
import type { Rotation, Secret, State } from "./state.ts";
import { detachLabel, holderOf } from "./versions-and-labels.ts";

export interface RotationEngineOptions {
  readonly state: State;
  readonly log: EventLog;
  readonly retry: { readonly attempts: number; readonly delayMs: number };
  readonly afterEarlyPromotion: "continue" | "over";
  readonly promotedPending: "kept" | "removed";
  functionOf(functionArn: string): RotationFunction | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  save(): void;
}

export interface RotationEngine {
  /** Begins to rotate to a version that is AWSPENDING, and returns at once. */
  start(secret: Secret, versionId: string, kind: Rotation["kind"]): void;
  /** Tries again what was given up; a rotation that is being worked on is left alone. */
  reattempt(secret: Secret, pendingVersionId: string): void;
  /** Works on the rotations that a file says were in progress. */
  resume(): void;
  /**
   * To be called after every change of labels: an abandoned rotation, or one that was promoted early, may be over, and a promoted version's
   * AWSPENDING may have to go.
   */
  review(secret: Secret): void;
  /** Stops working on the secret's rotation; a step that is running is not stopped. */
  cancel(secret: Secret): void;
  settled(arn?: string): Promise<void>;
  close(): void;
}

interface Run {
  readonly arn: string;
  /** Aborted when the rotation is over, so that no retry is waited for. */
  readonly ended: AbortController;
  done: Promise<void>;
  step?: Step;
}

const STEPS: readonly Step[] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/** Runs the steps of rotations, one rotation of a secret at a time. */
export function rotationEngine(options: RotationEngineOptions): RotationEngine {
  const { state, log, retry, now, save } = options;
  const runs = new Map<Rotation, Run>();
  let closed = false;

  function begin(secret: Secret, rotation: Rotation): void {
    secret.rotation = rotation;
    const run: Run = { arn: secret.arn, ended: new AbortController(), done: Promise.resolve() };
    runs.set(rotation, run);
    run.done = work(secret, rotation, run)
      .catch((error: unknown) => logCourse(secret, rotation, "Failed", { message: String(error), willRetry: false }))
      .finally(() => runs.delete(rotation));
  }

  async function work(secret: Secret, rotation: Rotation, run: Run): Promise<void> {
    // The call that asked for the rotation is answered first.
    await nextTurn();
    while (isWanted(secret, rotation)) {
      rotation.tries += 1;
      save();
      const failed = await runSteps(secret, rotation, run);
      if (!isWanted(secret, rotation)) return;
      if (failed === undefined) return conclude(secret, rotation);
      // No step runs between two tries: that finishSecret moved AWSCURRENT before it failed may be enough.
      delete run.step;
      review(secret);
      if (!isWanted(secret, rotation)) return;
      const willRetry = rotation.kind === "rotation" && rotation.tries <= retry.attempts;
      logCourse(secret, rotation, "Failed", { message: failed, willRetry });
      if (!willRetry) return giveUp(secret, rotation);
      await sleep(retry.delayMs, undefined, { signal: run.ended.signal }).catch(ignoreAbort);
    }
  }

  /** @returns why a step failed, or undefined if every one succeeded or the rotation is not wanted any more */
  async function runSteps(secret: Secret, rotation: Rotation, run: Run): Promise<string | undefined> {
    for (const step of rotation.kind === "test" ? (["testSecret"] as const) : STEPS) {
      run.step = step;
      const outcome = await runStep(secret, rotation, step);
      if (!isWanted(secret, rotation)) return undefined;
      if (!outcome.succeeded) return `${step}: ${outcome.errorType}: ${outcome.errorMessage}`;
    }
    const isCurrent = holderOf(secret.versions, "AWSCURRENT")?.id === rotation.versionId;
    return isCurrent || rotation.kind === "test" ? undefined : "finishSecret returned, but AWSCURRENT has not moved.";
  }

  async function runStep(secret: Secret, rotation: Rotation, step: Step): Promise<InvocationOutcome> {
    const functionArn = secret.rotationSettings?.functionArn ?? "";
    const rotationFunction = options.functionOf(functionArn);
    const started = performance.now();
    const outcome: InvocationOutcome = rotationFunction
      ? await invoke(rotationFunction, functionArn, {
          Step: step,
          SecretId: secret.arn,
          ClientRequestToken: rotation.versionId,
          RotationToken: rotation.rotationToken,
        })
      : { succeeded: false, errorType: "ResourceNotFound", errorMessage: `Function ${functionArn} is not registered.` };
    const shown: InvocationOutcome = outcome.succeeded
      ? outcome
      : { ...outcome, errorMessage: withoutValuesOf(secret, outcome.errorMessage) };
    log.add({
      kind: "invocation",
      name: step,
      secretArn: secret.arn,
      functionArn,
      versionId: rotation.versionId,
      attempt: rotation.tries,
      durationMs: performance.now() - started,
      outcome: shown.succeeded ? "succeeded" : "failed",
      ...(!shown.succeeded && { errorType: shown.errorType, errorMessage: shown.errorMessage }),
    });
    return shown;
  }

  function conclude(secret: Secret, rotation: Rotation): void {
    end(secret);
    if (rotation.kind === "test") {
      removeVersion(secret, rotation.versionId);
    } else {
      cleanUpPending(secret);
      secret.rotatedAt = now();
      secret.changedAt = now();
      planNextRotation(secret, now());
    }
    logCourse(secret, rotation, "Succeeded");
    save();
  }

  function giveUp(secret: Secret, rotation: Rotation): void {
    if (rotation.kind === "test") {
      end(secret);
      removeVersion(secret, rotation.versionId);
    } else {
      rotation.givenUp = true;
    }
    save();
  }

  /** The endpoint has nothing to do with the rotation any more; a step that is running is not stopped. */
  function end(secret: Secret): void {
    if (secret.rotation !== undefined) runs.get(secret.rotation)?.ended.abort();
    delete secret.rotation;
  }

  function review(secret: Secret): void {
    if (secret.rotation !== undefined) reviewRotation(secret, secret.rotation);
    if (secret.rotation === undefined || secret.rotation.givenUp) cleanUpPending(secret);
  }

  function cleanUpPending(secret: Secret): void {
    const isPromoted = holderOf(secret.versions, "AWSPENDING")?.labels.includes("AWSCURRENT") === true;
    if (isPromoted && options.promotedPending === "removed") {
      secret.versions = detachLabel(secret.versions, "AWSPENDING");
    }
  }

  function reviewRotation(secret: Secret, rotation: Rotation): void {
    const labels = secret.versions.find(({ id }) => id === rotation.versionId)?.labels ?? [];
    const isCurrent = labels.includes("AWSCURRENT");
    if (!isCurrent && !labels.includes("AWSPENDING")) {
      end(secret);
      if (rotation.kind === "test") removeVersion(secret, rotation.versionId);
      logCourse(secret, rotation, "Abandoned", { message: "AWSPENDING was taken away from the rotation's version." });
    } else if (isCurrent && options.afterEarlyPromotion === "over" && runs.get(rotation)?.step !== "finishSecret") {
      conclude(secret, rotation);
    }
  }

  /** Cancelled, abandoned, superseded and closed rotations are not worked on any more. */
  function isWanted(secret: Secret, rotation: Rotation): boolean {
    return !closed && secret.rotation === rotation && state.secrets.includes(secret);
  }

  function logCourse(
    secret: Secret,
    rotation: Rotation,
    turn: "Started" | "Succeeded" | "Failed" | "Abandoned",
    details: { message?: string; willRetry?: boolean } = {},
  ): void {
    const name: RotationEventName =
      rotation.kind === "test" && turn !== "Abandoned" ? `TestRotation${turn}` : `Rotation${turn}`;
    log.add({ kind: "rotation", name, secretArn: secret.arn, versionId: rotation.versionId, ...details });
  }

  return {
    start(secret, versionId, kind) {
      const rotation: Rotation = { versionId, rotationToken: randomUUID(), kind, tries: 0, givenUp: false };
      logCourse(secret, rotation, "Started");
      begin(secret, rotation);
    },

    reattempt(secret, pendingVersionId) {
      const previous = secret.rotation;
      if (previous !== undefined && !previous.givenUp) return;
      const rotationToken = previous?.rotationToken ?? randomUUID();
      begin(secret, { versionId: pendingVersionId, rotationToken, kind: "rotation", tries: 0, givenUp: false });
    },

    resume() {
      for (const secret of state.secrets) {
        if (secret.rotation !== undefined && !secret.rotation.givenUp) begin(secret, secret.rotation);
      }
    },

    review,

    cancel: end,

    async settled(arn) {
      const pending = () => [...runs.values()].filter((run) => arn === undefined || run.arn === arn);
      while (pending().length > 0) await Promise.all(pending().map(({ done }) => done));
    },

    close() {
      closed = true;
      for (const { ended } of runs.values()) ended.abort();
    },
  };
}

/** Sets when the next rotation is due, counted from a rotation or from when the schedule was set. */
export function planNextRotation(secret: Secret, from: number): void {
  const settings = secret.rotationSettings;
  if (settings === undefined) return;
  delete settings.nextWindow;
  const window = settings.rules && nextWindow(settings.rules, from);
  if (window !== undefined) settings.nextWindow = window;
}

function removeVersion(secret: Secret, versionId: string): void {
  secret.versions = secret.versions.filter(({ id }) => id !== versionId);
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
