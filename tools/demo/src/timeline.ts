import { styleText } from "node:util";
import type { Attempt } from "./application.ts";
import { figuresOf, functionLoginsIn, isAccepted, isRefused } from "./figures.ts";
import type { Labels, RotationRecord, StepRecord } from "./rotation.ts";

/**
 * The picture of a rotation so far: a row for each step, a column for each version of the secret with its labels, the step's figures; then
 * the application's logins over time. At most 80 columns wide.
 */
export function timeline(record: RotationRecord): string {
  const versions = versionsOf(record);
  const row = (name: string, milliseconds: string, labels: Labels, figures: readonly number[]) =>
    versionRow(name, milliseconds, versions, labels, figures);
  return [
    "",
    heading(versions, record.chapter.unit === "request" ? "reqs" : "logins"),
    ...row("before", "", record.before, []),
    ...(record.requested ? row("RotateSecret", "", record.requested, []) : []),
    ...record.steps.flatMap((step, index) => {
      const { name, startedAt, endedAt, labels = {} } = step;
      if (endedAt === undefined) return row(name, "...", labels, []);
      return row(name, `${endedAt - startedAt} ms`, labels, figuresOfStep(record, step, record.steps[index + 1]));
    }),
    "",
    ...applicationLines(record),
  ].join("\n");
}

/** The first eight characters tell versions apart. */
const shortId = (version: string) => version.slice(0, 8);

/** The versions that have a label: from the older ones to the pending one. */
function versionsOf({ before, requested = {} }: RotationRecord): string[] {
  const age = (id: string) => ["AWSPREVIOUS", "AWSCURRENT"].findIndex((label) => before[id]?.includes(label));
  const known = Object.keys(before).sort((a, b) => age(a) - age(b));
  return [...known, ...Object.keys(requested).filter((id) => !known.includes(id))];
}

const NAME_WIDTH = 14;
const TIME_WIDTH = 8;
const LABEL_WIDTH = 12;
const FIGURES = [
  { name: "calls", width: 5 },
  { name: "logins", width: 7 },
  { name: "refused", width: 8 },
];

function heading(versions: readonly string[], units: string): string {
  const cells = versions.map((id) => shortId(id).padEnd(LABEL_WIDTH)).join("");
  const figures = FIGURES.map(({ name, width }) => (name === "logins" ? units : name).padStart(width)).join("");
  return styleText("dim", `${"  version".padEnd(NAME_WIDTH + TIME_WIDTH)}  ${cells}${figures}`);
}

/** One line, or more where a version has several labels. */
function versionRow(
  name: string,
  milliseconds: string,
  versions: readonly string[],
  labels: Labels,
  figures: readonly number[],
): string[] {
  const height = Math.max(1, ...versions.map((id) => labels[id]?.length ?? 0));
  return Array.from({ length: height }, (_, line) => {
    const start = line === 0 ? `  ${name}`.padEnd(NAME_WIDTH) + milliseconds.padStart(TIME_WIDTH) : "";
    const cells = versions.map((id) => labelCell(labels[id]?.toSorted()[line] ?? "")).join("");
    const end = line === 0 ? figures.map(figureCell).join("") : "";
    return `${start.padEnd(NAME_WIDTH + TIME_WIDTH)}  ${cells}${end}`.trimEnd();
  });
}

function labelCell(label: string): string {
  const style = ({ AWSCURRENT: "green", AWSPENDING: "yellow" } as const)[label] ?? "dim";
  return styleText(style, label) + " ".repeat(LABEL_WIDTH - label.length);
}

function figureCell(value: number, column: number): string {
  const { name, width = 0 } = FIGURES[column] ?? {};
  const text = String(value).padStart(width);
  return name === "refused" && value > 0 ? styleText("red", text) : text;
}

/** Calls and logins of the function, and refused logins of the application, until the next step began. */
function figuresOfStep(record: RotationRecord, step: StepRecord, next: StepRecord | undefined): number[] {
  const to = next?.startedAt ?? Number.POSITIVE_INFINITY;
  const isWithin = ({ endedAt }: Attempt) => endedAt >= step.startedAt && endedAt < to;
  return [
    step.apiCalls.length,
    functionLoginsIn(record.logins, step.startedAt, to),
    record.attempts.filter((attempt) => isRefused(attempt) && isWithin(attempt)).length,
  ];
}

const SLOT_MS = [50, 100, 200, 500, 1000];
const SLOTS = 60;
const BARS = "▁▂▃▄▅▆▇█";

/**
 * A bar for each slot of time, as high as there were logins, a cross where one was refused, or a dot where none ended; then what they add up
 * to. The application makes no pause, so where none ended one took longer.
 */
function applicationLines(record: RotationRecord): string[] {
  const { attempts } = record;
  const { unit = "login" } = record.chapter;
  const { applicationLogins, applicationRefused, refusedWindow } = figuresOf(record);
  const slot = slotLength(attempts);
  const slots = slotsOf(attempts, slot);
  const highest = Math.max(1, ...slots.map((each) => each.filter(isAccepted).length));
  const bars = slots.map((each) => {
    if (!each.every(isAccepted)) return styleText("red", "×");
    return each.length === 0
      ? styleText("dim", "·")
      : styleText("green", BARS[Math.ceil((each.length / highest) * BARS.length) - 1] ?? "");
  });
  const user = attempts.findLast(isAccepted)?.username;
  const refused = `${applicationRefused === 0 ? "none" : applicationRefused} refused`;
  const window = Number.isFinite(refusedWindow) ? ` within ${refusedWindow} ms` : " so far";
  return [
    `${"  application".padEnd(NAME_WIDTH)} ${bars.join("")}`,
    styleText("dim", `${" ".repeat(NAME_WIDTH)} each ${slot} ms: bar = ${unit}s, × = refused, · = one under way`),
    `${" ".repeat(NAME_WIDTH)} ${applicationLogins} ${unit}s, ` +
      (applicationRefused === 0 ? refused : styleText("red", refused) + window) +
      (user === undefined ? "" : `; ${unit === "login" ? "logs in " : ""}as ${user}`),
  ];
}

/** So long that two attempts of the usual length fit: where one is longer than a slot, the empty ones between look like outages. */
function slotLength(attempts: readonly Attempt[]): number {
  const lengths = attempts.map(({ startedAt, endedAt }) => endedAt - startedAt).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  return SLOT_MS.find((each) => each >= 2 * median) ?? SLOT_MS.at(-1) ?? 0;
}

/** The latest attempts by the time when they ended, from old to new. */
function slotsOf(attempts: readonly Attempt[], slot: number): Attempt[][] {
  const end = attempts.at(-1)?.endedAt ?? 0;
  const age = ({ endedAt }: Attempt) => Math.floor((end - endedAt) / slot);
  const count = Math.min(SLOTS, attempts[0] ? age(attempts[0]) + 1 : 0);
  const slots = Array.from({ length: count }, (): Attempt[] => []);
  for (const attempt of attempts) slots[count - 1 - age(attempt)]?.push(attempt);
  return slots;
}
