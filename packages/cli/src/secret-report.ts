import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, type RotationState } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { columns, type Paint } from "./output.ts";
import type { Secret } from "./secret.ts";
import { dayOf, lengthOf, minuteOf } from "./times.ts";

const DAY_MS = 24 * 3_600_000;

/**
 * Whether a rotation should have happened: the service's date has passed, or the last one is longer ago than the schedule's days and the
 * day in which the service may choose its time.
 */
export function isOverdue(secret: Secret, now: Date): boolean {
  if (!secret.rotationEnabled) return false;
  if (secret.nextRotation && secret.nextRotation < now) return true;
  const days = secret.schedule?.automaticallyAfterDays;
  const last = secret.lastRotated ?? secret.created;
  return days !== undefined && last !== undefined && now.getTime() - last.getTime() > (days + 1) * DAY_MS;
}

/** Since when a secret is in its state, as far as the service says it: while a rotation goes on, since when nothing has changed. */
export function sinceOf({ state, lastChanged, lastRotated, created }: Secret): Date | undefined {
  if (state === "ROTATION_IN_PROGRESS" || state === "ROTATION_FAILED") return lastChanged;
  return state === "CONFIGURED_NOT_ROTATING" ? (lastRotated ?? lastChanged) : created;
}

const urgency: readonly RotationState[] = [
  "ROTATION_FAILED",
  "ROTATION_IN_PROGRESS",
  "CONFIGURED_NOT_ROTATING",
  "NOT_CONFIGURED",
];

type Listed = Secret & { readonly overdue: boolean };

/** Sorts the overdue ones to the beginning, then by state, then by name. */
export function byUrgency(a: Listed, b: Listed): number {
  return (
    Number(b.overdue) - Number(a.overdue) ||
    urgency.indexOf(a.state) - urgency.indexOf(b.state) ||
    (a.name < b.name ? -1 : 1)
  );
}

/** One line for each secret. */
export function secretTable(secrets: readonly Listed[], now: Date, paint: Paint): string {
  const rows = secrets.map((secret) => {
    const since = sinceOf(secret);
    return [
      paintState(secret.state, paint),
      since ? lengthOf(now.getTime() - since.getTime()) : "-",
      secret.lastRotated ? dayOf(secret.lastRotated) : "-",
      secret.nextRotation ? dayOf(secret.nextRotation) : "-",
      secret.overdue ? paint("red", `${secret.name} (overdue)`) : secret.name,
    ];
  });
  const header = ["STATE", "SINCE", "LAST", "NEXT", "SECRET"].map((title) => paint("bold", title));
  const overdue = secrets.filter((secret) => secret.overdue).length;
  const counts = urgency
    .map((state) => [secrets.filter((secret) => secret.state === state).length, state])
    .filter(([count]) => count !== 0)
    .map((each) => `  ${each.join(" ")}`);
  const summary = `${secrets.length} secret${secrets.length === 1 ? "" : "s"}${overdue > 0 ? `, ${overdue} overdue` : ""}`;
  return [...(secrets.length > 0 ? [columns([header, ...rows]), ""] : []), summary, ...counts].join("\n");
}

/** All about one secret. */
export function secretBlock(secret: Listed, context: Context, paint: Paint): string {
  const since = sinceOf(secret);
  const labelled = Object.entries(secret.versions).sort(([, a], [, b]) => labelRank(a) - labelRank(b));
  const advice = adviceOn(secret, context);
  const facts: [string, string | undefined][] = [
    ["state", `${paintState(secret.state, paint)}${secret.overdue ? paint("red", ", overdue") : ""}`],
    ["since", since && `${minuteOf(since)} (${lengthOf(context.io.now().getTime() - since.getTime())})`],
    ["last", secret.lastRotated && minuteOf(secret.lastRotated)],
    ["next", secret.nextRotation && minuteOf(secret.nextRotation)],
    ["function", secret.functionArn],
    ...labelled.map(([id, labels], i): [string, string] => [i === 0 ? "versions" : "", `${id} ${labels.join(" ")}`]),
    ["then", advice],
  ];
  const lines = facts.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(8)}  ${value}`]));
  return [paint("bold", secret.name), ...lines].join("\n");
}

function labelRank(labels: readonly string[]): number {
  const rank = [AWSCURRENT, AWSPENDING, AWSPREVIOUS].findIndex((label) => labels.includes(label));
  return rank === -1 ? 3 : rank;
}

function adviceOn({ state, name }: Secret, context: Context): string | undefined {
  if (state === "ROTATION_FAILED") return context.next("cancel", name, "--clear-pending");
  if (state === "ROTATION_IN_PROGRESS") return context.next("status", name);
  return undefined;
}

const colours = { ROTATION_FAILED: "red", ROTATION_IN_PROGRESS: "yellow", NOT_CONFIGURED: "dim" } as const;

function paintState(state: RotationState, paint: Paint): string {
  return state === "CONFIGURED_NOT_ROTATING" ? state : paint(colours[state], state);
}
