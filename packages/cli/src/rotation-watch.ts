import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { decide, type VersionLabels } from "@quarterturn/core";
import type { Context } from "./context.ts";
import type { FunctionLog, LogRecord } from "./function-log.ts";
import { describe, type Secret } from "./secret.ts";

/** What was seen of a rotation. */
export type Sign =
  | { readonly is: "labels"; readonly time: Date; readonly versions: VersionLabels }
  | ({ readonly is: "log" } & LogRecord);

export type RotationEnd =
  | { readonly is: "current" }
  | { readonly is: "failed"; readonly why: string }
  | { readonly is: "timed-out" };

/** After a step failed, the service tries again, at times that it does not publish: how long nothing may be heard before that counts as the end. */
const QUIET_MS = 120_000;

/** Between two looks: short at the beginning and after each sign, then longer. */
const POLL_MS = { first: 250, factor: 1.5, longest: 5_000 };

/**
 * Follows a rotation until its version is AWSCURRENT, it has failed, or the time is up.
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
  const end = io.now().getTime() + timeoutMs;
  let seen: VersionLabels | undefined;
  let failure: LogRecord | undefined;
  let heard = io.now().getTime();
  let pause = POLL_MS.first;
  for (;;) {
    const secret = await describe(context, arn);
    const records = await log.readNew();
    const now = io.now();
    for (const record of records) {
      onSign({ is: "log", ...record });
      failure = record.failure === undefined ? undefined : record;
    }
    if (!isDeepStrictEqual(seen, secret.versions)) onSign({ is: "labels", time: now, versions: secret.versions });
    if (records.length > 0 || !isDeepStrictEqual(seen, secret.versions)) {
      heard = now.getTime();
      pause = POLL_MS.first;
    }
    seen = secret.versions;

    const decision = decide(seen[version], secret.rotationEnabled);
    const refusal = decision.is === "refused" ? decision.why : undefined;
    if (decision.is === "done" || refusal === "superseded") return { is: "current" };
    const said = failure && `${failure.step}: ${failure.failure}`;
    if (refusal !== undefined) return { is: "failed", why: said ?? refusals[refusal] };
    if (said !== undefined && now.getTime() - heard >= QUIET_MS) return { is: "failed", why: said };
    if (secret.state === "ROTATION_FAILED") return { is: "failed", why: said ?? "nothing has changed for an hour" };
    if (now.getTime() >= end) return said === undefined ? { is: "timed-out" } : { is: "failed", why: said };
    await sleep(Math.min(pause, Math.max(1, end - now.getTime())), undefined, { signal: io.signal });
    pause = Math.min(pause * POLL_MS.factor, POLL_MS.longest);
  }
}

const refusals = {
  "not-enabled": "rotation was turned off meanwhile",
  "not-staged": "AWSPENDING was taken off its version, or a new value was stored meanwhile",
};
