import { styleText } from "node:util";
import Table from "cli-table3";
import type { Failure } from "./failure.ts";
import type { Io } from "./io.ts";

/** What a command found or did. */
export interface Outcome {
  /** What --json prints: plain data, dates in it are ISO 8601. */
  readonly data: object;
  /** The same for people. */
  text(paint: Paint): string;
  /** Where there is a result and it is not a good one. */
  readonly failure?: Failure;
}

/** A text in a colour, where the stream is a terminal and NO_COLOR does not forbid it. */
export type Paint = (format: "bold" | "dim" | "red" | "yellow" | "green", text: string) => string;

/** Prints a result: all of it as one JSON document, or for people. */
export function print(outcome: Outcome, io: Io, asJson: boolean): void {
  const paint: Paint = (format, text) => styleText(format, text, { stream: io.stdout });
  const text = asJson ? JSON.stringify(outcome.data, null, 2) : outcome.text(paint);
  if (text !== "") io.stdout.write(`${text}\n`);
}

/** Prints why there is no result: with --json as the one document that a program waits for. */
export function printFailure(failure: Told, exitCode: number, io: Io): void {
  const error = { exitCode, message: failure.message, next: failure.next || null };
  io.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
}

/** What a failure says, without what is secret. */
interface Told {
  readonly message: string;
  readonly next: string;
}

/** Columns without lines between them. @param widths of the columns that are wrapped, by their number */
export function columns(rows: readonly (readonly string[])[], widths: Readonly<Record<number, number>> = {}): string {
  const table = new Table({
    chars: Object.fromEntries(borders.map((border) => [border, ""])),
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [] },
    colWidths: Object.assign([], widths),
    wordWrap: true,
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const borders = [
  "top",
  "top-mid",
  "top-left",
  "top-right",
  "bottom",
  "bottom-mid",
  "bottom-left",
  "bottom-right",
].concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"]);
