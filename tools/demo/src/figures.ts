import type { Attempt } from "./application.ts";
import type { Login } from "./login-log.ts";
import { ROUNDS_AFTERWARDS, type RotationRecord } from "./rotation.ts";

/** What a rotation cost, and what the application felt of it. Times in milliseconds. */
export interface Figures {
  /** All logins, the refused ones included. */
  readonly applicationLogins: number;
  readonly applicationRefused: number;
  readonly refusedWindow: number;
  readonly apiCalls: number;
  /** All logins, the refused ones included. */
  readonly functionLogins: number;
  readonly functionRefused: number;
  /** The four steps' own time. */
  readonly steps: number;
}

export function figuresOf({ attempts, logins, steps }: RotationRecord): Figures {
  const applicationRefused = attempts.filter(isRefused).length;
  // Not every server says whose login it refused.
  const functionRefused = logins.filter(isRefused).length - applicationRefused;
  return {
    applicationLogins: attempts.filter(isAccepted).length + applicationRefused,
    applicationRefused,
    refusedWindow: refusedWindow(attempts),
    apiCalls: steps.flatMap(({ apiCalls }) => apiCalls).length,
    functionLogins: logins.filter((login) => isFunctions(login) && isAccepted(login)).length + functionRefused,
    functionRefused,
    steps: steps.reduce((sum, { startedAt, endedAt = startedAt }) => sum + endedAt - startedAt, 0),
  };
}

/**
 * From the start of the application's first refused login to the end of its first accepted one after the last refused. What the server did
 * in between two logins is not known, so this is rather too long than too short. 0 where none was refused; infinite where none was accepted
 * again.
 */
function refusedWindow(attempts: readonly Attempt[]): number {
  const first = attempts.find(isRefused);
  if (!first) return 0;
  const next = attempts.slice(attempts.findLastIndex(isRefused)).find(isAccepted);
  return next ? next.endedAt - first.startedAt : Number.POSITIVE_INFINITY;
}

/** What of the promise of its strategy a rotation broke, in words; nothing where it was kept. */
export function brokenPromises(record: RotationRecord): string[] {
  const { chapter, attempts, steps, failure } = record;
  if (failure !== undefined) return [`The rotation failed in ${failure}`];
  const broken: string[] = [];
  const set = steps.find(({ name }) => name === "setSecret");
  const finish = steps.find(({ name }) => name === "finishSecret");
  if (set === undefined || finish?.endedAt === undefined)
    return ["The rotation ended without setSecret or finishSecret"];
  const from = set.startedAt;
  const to = finish.endedAt;

  const refused = attempts.filter(isRefused);
  // A round that began before the label moved may have read the old password and be refused a little later.
  const isInWindow = ({ startedAt, endedAt }: Attempt) =>
    chapter.window === "refused" && endedAt >= from && startedAt <= to;
  const outside = refused.filter((attempt) => !isInWindow(attempt)).length;
  if (outside > 0) {
    const where = chapter.window === "refused" ? " before setSecret or after finishSecret" : "";
    broken.push(`The application was refused ${outside} times${where}`);
  }
  const failed = attempts.find(({ outcome }) => outcome === "failed");
  if (failed) broken.push(`The application failed: ${failed.reason}`);
  if (!attempts.some(({ startedAt, endedAt }) => endedAt >= from && startedAt <= to)) {
    broken.push("The application did not log in while the rotation ran, so nothing is known");
  }
  const version = Object.entries(finish.labels ?? {}).find(([, labels]) => labels.includes("AWSCURRENT"))?.[0];
  const afterwards = attempts.filter(({ startedAt }) => startedAt > to);
  if (version === undefined || version in record.before) broken.push("AWSCURRENT did not move to a new version");
  if (afterwards.length < ROUNDS_AFTERWARDS || afterwards.some((attempt) => attempt.version !== version)) {
    broken.push("Afterwards the application did not go on with the new version");
  }
  const { functionRefused } = figuresOf(record);
  if (functionRefused !== 0)
    broken.push(`The server refused ${functionRefused} logins that were not the application's`);
  return broken;
}

/** All that was seen of the logins and calls by who made them or stood in between, and all that the servers logged of them. */
export interface Observations {
  readonly attempts: readonly Attempt[];
  /** The server's log. */
  readonly logins: readonly Login[];
  /** The rotation functions' calls, and all calls in the endpoint's log of events. */
  readonly functionCalls: readonly string[];
  readonly loggedCalls: readonly string[];
}

/** Where one side says something else than the other, in words: figures would mean nothing. */
export function disagreements({ attempts, logins, functionCalls, loggedCalls }: Observations): string[] {
  const compare = (what: string, seen: number, logged: number) =>
    seen === logged ? [] : [`${what}: ${seen} were seen, and ${logged} are in the server's log`];
  const compareCalls = (operation: string, others: number) => {
    const isIt = (each: string) => each === operation;
    return compare(operation, functionCalls.filter(isIt).length + others, loggedCalls.filter(isIt).length);
  };
  return [
    ...compare(
      "The application's accepted logins",
      attempts.filter(isAccepted).length,
      logins.filter(({ by, outcome }) => by === "application" && outcome === "accepted").length,
    ),
    // Each round of the application begins with one call.
    ...compareCalls("GetSecretValue", attempts.length),
    ...compareCalls("PutSecretValue", 0),
    ...compareCalls("UpdateSecretVersionStage", 0),
  ];
}

/** Logins of the rotation functions in a span of time, e.g. a step. */
export function functionLoginsIn(logins: readonly Login[], from: number, to: number): number {
  return logins.filter((login) => isFunctions(login) && login.time >= from && login.time < to).length;
}

const isFunctions = ({ by }: Login) => by === "function";
export const isAccepted = ({ outcome }: Pick<Attempt, "outcome">) => outcome === "accepted";
export const isRefused = ({ outcome }: Pick<Attempt, "outcome">) => outcome === "refused";
