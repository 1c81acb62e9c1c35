import { styleText } from "node:util";
import { brokenPromises, figuresOf } from "./figures.ts";
import type { RotationRecord } from "./rotation.ts";
import type { Chapter } from "./story.ts";

/** A rotation that was shown, and what it was to show. */
export interface Told {
  readonly chapter: Chapter;
  readonly record: RotationRecord;
}

/** What each strategy promises here. */
function promises(rotations: readonly Told[]): string {
  const lines = rotations.map(({ chapter: { strategy, window, unit = "login" } }) => {
    const promise = {
      refused: `refused ${unit}s only between setSecret and finishSecret`,
      none: `no refused ${unit}`,
    };
    return `  ${`${strategy} promises`.padEnd(22)}${promise[window]}`;
  });
  return [...new Set(lines)].join("\n");
}

const notes = `\
  the window            from the start of the first refused one to the end of
                        the next accepted one: rather too long than too short
  the times             are this machine's, without the pauses for reading; a
                        network and a cold start make them longer. A function's
                        first steps are slower: it loads what it needs`;

/** The figures of all rotations side by side, and the promises that they stand for. At most 80 columns wide. */
export function summary(rotations: readonly Told[]): string {
  const figures = rotations.map(({ record }) => figuresOf(record));
  const unit = rotations[0]?.chapter.unit ?? "login";
  const line = (name: string, values: readonly (number | string)[]) =>
    `  ${name.padEnd(NAME_WIDTH)}${values.map((value) => String(value).padStart(VALUE_WIDTH)).join("")}`.trimEnd();
  const verdicts = rotations.map(({ record }) => {
    if (record.failure !== undefined) return styleText("red", "failed".padStart(VALUE_WIDTH));
    const isKept = brokenPromises(record).length === 0;
    return styleText(isKept ? "green" : "red", (isKept ? "kept" : "broken").padStart(VALUE_WIDTH));
  });
  return [
    "",
    styleText("bold", "Summary"),
    "",
    line(
      "",
      rotations.map(({ chapter }) => chapter.column[0]),
    ),
    line(
      "",
      rotations.map(({ chapter }) => chapter.column[1]),
    ),
    line(
      `application's ${unit}s`,
      figures.map(({ applicationLogins }) => applicationLogins),
    ),
    line(
      "  of these refused",
      figures.map(({ applicationRefused }) => applicationRefused),
    ),
    line(
      `refused-${unit} window`,
      figures.map(({ refusedWindow }) => (Number.isFinite(refusedWindow) ? `${refusedWindow} ms` : "no end seen")),
    ),
    line(
      "Secrets Manager calls",
      figures.map(({ apiCalls }) => apiCalls),
    ),
    line(
      `function's ${unit}s`,
      figures.map(({ functionLogins }) => functionLogins),
    ),
    line(
      "  of these failed",
      figures.map(({ functionRefused }) => functionRefused),
    ),
    line(
      "the four steps",
      figures.map(({ steps }) => `${steps} ms`),
    ),
    `  ${"promise".padEnd(NAME_WIDTH)}${verdicts.join("")}`,
    "",
    promises(rotations),
    notes,
  ].join("\n");
}

const NAME_WIDTH = 24;
const VALUE_WIDTH = 16;
