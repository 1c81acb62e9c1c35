import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, type RotationState } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { columns, type Paint } from "./output.ts";
import { rulesFrom, wordsOfRules } from "./rotation-rules.ts";
import { primaryOf, type Secret } from "./secret.ts";
import { dayOf, lengthOf, minuteOf } from "./times.ts";

const DAY_MS = 24 * 3_600_000;

/**
 * Whether a rotation should have happened: the service's date has passed; or a rotation is not finished (or there is no date) and the last
 * one is longer ago than the schedule's days and the day in which the service may choose its time. While a date is ahead, the days alone
 * say nothing: the schedule may be newer than the last rotation. Neither do they beside an expression, whose dates need not lie evenly.
 */
export function isOverdue(secret: Secret, now: Date): boolean {
  const { rotationEnabled, nextRotation, lastRotated, schedule, state } = secret;
  if (!rotationEnabled) return false;
  if (nextRotation && nextRotation < now) return true;
  if (nextRotation && state === "CONFIGURED_NOT_ROTATING") return false;
  const days = schedule?.expression === undefined ? schedule?.automaticallyAfterDays : undefined;
  return days !== undefined && lastRotated !== undefined && now.getTime() - lastRotated.getTime() > (days + 1) * DAY_MS;
}

/**
 * Since when a secret is in its state, at least: since the last change of anything at it. The service does not say when rotation was
 * turned on or off, or a rotation began.
 */
export function sinceOf({ rotationEnabled, lastChanged, created }: Secret): Date | undefined {
  return rotationEnabled === undefined ? created : lastChanged;
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

/** Where names begin when all before them is as wide as it can be. */
const NAME_AT = 57;

/** One line for each secret; a name that does not fit into it stands on the next. @param width in columns */
export function secretTable(secrets: readonly Listed[], now: Date, paint: Paint, width: number): string {
  const entries = secrets.map((secret) => {
    const since = sinceOf(secret);
    const name = secret.overdue ? `${secret.name} (overdue)` : secret.name;
    return {
      cells: [
        paintState(secret.state, paint),
        since ? lengthOf(now.getTime() - since.getTime()) : "-",
        secret.lastRotated ? dayOf(secret.lastRotated) : "-",
        secret.nextRotation ? dayOf(secret.nextRotation) : "-",
      ],
      name: secret.overdue ? paint("red", name) : name,
      isLong: NAME_AT + name.length > width,
    };
  });
  const header = ["STATE", "SINCE", "LAST", "NEXT", "SECRET"].map((title) => paint("bold", title));
  const rows = entries.map(({ cells, name, isLong }) => [...cells, isLong ? "" : name]);
  const [head = "", ...lines] = columns([header, ...rows]).split("\n");
  const table = [
    head,
    ...lines.flatMap((line, i) => (entries[i]?.isLong ? [line, `  ${entries[i].name}`] : [line])),
    "",
  ];
  const overdue = secrets.filter((secret) => secret.overdue).length;
  const counts = urgency
    .map((state) => [secrets.filter((secret) => secret.state === state).length, state])
    .filter(([count]) => count !== 0)
    .map((each) => `  ${each.join(" ")}`);
  const summary = `${secrets.length} secret${secrets.length === 1 ? "" : "s"}${overdue > 0 ? `, ${overdue} overdue` : ""}`;
  return [...(secrets.length > 0 ? table : []), summary, ...counts].join("\n");
}

/** All about one secret. */
export function secretBlock(secret: Listed, context: Context, paint: Paint): string {
  const since = sinceOf(secret);
  const labelled = Object.entries(secret.versions).sort(([, a], [, b]) => labelRank(a) - labelRank(b));
  const advice = adviceOn(secret, context);
  const rules = rulesFrom(secret);
  const facts: [string, string | undefined][] = [
    [
      "state",
      [
        paintState(secret.state, paint),
        ...(secret.overdue ? [paint("red", "overdue")] : []),
        ...(secret.deleted ? [paint("red", "marked for deletion")] : []),
      ].join(", "),
    ],
    ["since", since && `${minuteOf(since)} (${lengthOf(context.io.now().getTime() - since.getTime())})`],
    ["last", secret.lastRotated && minuteOf(secret.lastRotated)],
    ["next", secret.nextRotation && minuteOf(secret.nextRotation)],
    ["schedule", rules && wordsOfRules(rules) + (secret.rotationEnabled ? "" : ", once rotation is on again")],
    ["function", secret.functionArn ?? (secret.owningService && `none: ${secret.owningService} rotates it itself`)],
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

function adviceOn(secret: Secret, context: Context): string | undefined {
  const { state, id, deleted, rotationEnabled, functionArn } = secret;
  // Until then the service refuses everything else.
  if (deleted) return `if it is needed: ${context.aws("secretsmanager", "restore-secret", "--secret-id", id)}`;
  const primary = primaryOf(secret);
  if (primary) return `a replica: it is rotated in ${primary.region}, where the same secret is ${primary.arn}`;
  if (state === "ROTATION_FAILED") return context.next("cancel", id, "--clear-pending");
  if (state === "ROTATION_IN_PROGRESS") return `to end it: ${context.next("cancel", id, "--clear-pending")}`;
  if (rotationEnabled === false && functionArn !== undefined)
    return `rotation is off; to turn it on again: ${context.next("rotate", id)}`;
  return undefined;
}

const colours = { ROTATION_FAILED: "red", ROTATION_IN_PROGRESS: "yellow", NOT_CONFIGURED: "dim" } as const;

function paintState(state: RotationState, paint: Paint): string {
  return state === "CONFIGURED_NOT_ROTATING" ? state : paint(colours[state], state);
}
