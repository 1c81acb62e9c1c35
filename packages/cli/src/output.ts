import { stripVTControlCharacters, styleText } from "node:util";
import Table from "cli-table3";
import { wrapAnsi } from "fast-wrap-ansi";
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
  const text = asJson ? JSON.stringify(outcome.data, null, 2) : fitted(outcome.text(paint), io.stdout);
  if (text !== "") io.stdout.write(`${text}\n`);
}

/** A text as wide as the terminal that it is for; for whatever else reads it, as it is. */
export function fitted(text: string, { isTTY, columns: width }: Io["stdout"]): string {
  return isTTY && width ? wrap(text, width) : text;
}

/**
 * Breaks lines between words; what follows stands below the text of the first line, right of its name or sign. A command to paste stays in one
 * line, and so does a word that is too long: where the terminal breaks these, what is copied is whole.
 */
export function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, width))
    .join("\n");
}

/** A first column, and a sign before what follows it. */
const beginning = /^ *(?:[^ ](?:[^ ]| (?! )){0,22} {2,})?(?:→ )?/;
/** Of this program or of the AWS CLI, in the words that a shell takes. */
const command =
  /(?<![\w-])(?:quarterturn|aws) [a-z][a-z-]*(?: (?:'[^']*'(?:\\''[^']*')*|[\w@%+=:,./<>-]*[\w@%+=/<>-]))*/g;
const UNBROKEN = "\u00a0";

function wrapLine(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= width) return line;
  const column = beginning.exec(plain)?.[0] ?? "";
  const margin = /^ */.exec(plain)?.[0] ?? "";
  const hasColumn = column.length > margin.length && column.length <= width / 2;
  const first = withColours(line, hasColumn ? column : margin);
  const indent = hasColumn ? " ".repeat(column.length) : `${margin}  `;
  const body = line.slice(first.length).replace(command, (found) => found.replaceAll(" ", UNBROKEN));
  const rows = wrapAnsi(body, width - indent.length)
    .replaceAll(UNBROKEN, " ")
    .split("\n");
  return first + rows.join(`\n${indent}`);
}

/** The part of a line that shows as this. */
function withColours(line: string, shown: string): string {
  let end = shown.length;
  while (stripVTControlCharacters(line.slice(0, end)) !== shown) end++;
  return line.slice(0, end);
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
