import { isDeepStrictEqual } from "node:util";
import { AWSCURRENT, decide, unfinishedVersion, type VersionLabels, versionWith } from "@quarterturn/core";
import type { Context } from "./context.ts";
import type { FunctionLog, LogRecord } from "./function-log.ts";
import { describe, type Secret } from "./secret.ts";

/** What was seen of a rotation. */
export type Sign =
  | { readonly is: "labels"; readonly time: Date; readonly versions: VersionLabels }
  | ({ readonly is: "log" } & LogRecord);

export type RotationEnd =
  | { readonly is: "current" }
  /** It was AWSCURRENT, and another version is now: after a rollback, or a rotation more. */
  | { readonly is: "superseded"; readonly by: string | undefined }
  /** `blocks`: AWSPENDING is still on the version, and no other rotation can begin. */
  | { readonly is: "failed"; readonly why: string; readonly blocks: boolean }
  | { readonly is: "timed-out" };

/**
 * After a step failed, the service tries again, at times that it does not publish: how long nothing may be heard before that counts as the
 * end. Lambda's own second retry of an asynchronous invocation comes two minutes after the first; as much again is for the function itself.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const QUIET_MS = 240_000;

/** How long DescribeSecret may not yet show what RotateSecret has begun: the service is eventually consistent, and says no figure. */
const UNSEEN_MS = 30_000;

/** Between two looks: short at the beginning and after each sign, then longer. */
const POLL_MS = { first: 250, factor: 1.5, longest: 5_000 };

/**
 * Follows a rotation until its version is AWSCURRENT (or was, and is no longer), it has failed, or the time is up.
 *
 * The service does not say that it has given up. Failed is: AWSPENDING has left the version, or rotation was turned off; the function's
 * log says that a step failed, and nothing was heard for QUIET_MS or until the time was up; or nothing has changed for longer than any
 * rotation may take (rotationState). Without a log, a rotation that fails is one whose time is up.
 *
 * @throws Failure
 */
export async function watchRotation(
  context: Context,
  { arn }: Secret,
  version: string,
  log: FunctionLog,
  timeoutMs: number,
  onSign: (sign: Sign) => void,
): Promise<RotationEnd> {
  const { io } = context;
  const began = io.now().getTime();
  let seen: VersionLabels | undefined;
  let wasSeenStaged = false;
  let failure: string | undefined;
  let heard = began;
  let pause = POLL_MS.first;
  for (;;) {
    const secret = await describe(context, arn);
    const records = await log.readNew();
    const now = io.now();
    for (const record of records) {
      onSign({ is: "log", ...record });
      failure = record.failure === null ? undefined : `${record.step}: ${record.failure}`;
    }
    const isNew = !isDeepStrictEqual(seen, secret.versions);
    if (isNew) onSign({ is: "labels", time: now, versions: secret.versions });
    if (isNew || records.length > 0) {
      heard = now.getTime();
      pause = POLL_MS.first;
    }
    seen = secret.versions;

    const decision = decide(seen[version], secret.rotationEnabled);
    const refusal = decision.is === "refused" ? decision.why : undefined;
    if (decision.is === "done") return { is: "current" };
    if (refusal === "superseded") return { is: "superseded", by: versionWith(seen, AWSCURRENT) };
    const blocks = unfinishedVersion(seen) !== undefined;
    const failed = (why: string): RotationEnd => ({ is: "failed", why: failure ?? why, blocks });
    wasSeenStaged ||= refusal === undefined;
    if (refusal !== undefined && (wasSeenStaged || now.getTime() - began >= UNSEEN_MS))
      return failed(refusals[refusal]);
    if (failure !== undefined && now.getTime() - heard >= QUIET_MS) return failed(failure);
    if (wasSeenStaged && secret.state === "ROTATION_FAILED") return failed("nothing has changed for an hour");
    const left = began + timeoutMs - now.getTime();
    if (left <= 0) return failure === undefined ? { is: "timed-out" } : failed(failure);
    await io.sleep(Math.min(pause, left));
    pause = Math.min(pause * POLL_MS.factor, POLL_MS.longest);
  }
}

const refusals = {
  "not-enabled": "rotation was turned off meanwhile",
  "not-staged": "AWSPENDING was taken off its version, or a new value was stored meanwhile",
};
