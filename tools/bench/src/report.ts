import { cpus, loadavg, platform, release, totalmem } from "node:os";
import Table from "cli-table3";
import type { BenchEngine } from "./engine.ts";
import { type Figure, figures } from "./figures.ts";
import type { StepCost } from "./function.ts";
import type { Growth } from "./growth.ts";
import type { Results } from "./measure.ts";
import type { Mode, Row } from "./row.ts";
import { median, sum } from "./statistics.ts";

/** Where the figures were taken: they mean little without it. */
export function machine(): string {
  const processors = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}`;
  return `${processors}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}, Node.js ${process.versions.node}`;
}

/** How many processes wanted to run during the last minute: more than there are processors, and the times are too long. */
export function load(): string {
  return `load average ${loadavg()[0]?.toFixed(1)}`;
}

/** The tables of one engine. */
export function report({ engine, title, rows, coldSteps, windows, growths, failures }: Results): string {
  const strategies = [...new Set(rows.map(({ strategy }) => strategy))];
  const cold = (of: (step: StepCost) => number) => median(coldSteps.map(of)).toFixed(0);
  const total = (of: (each: (typeof windows)[number]) => number) => sum(windows.map(of)).toLocaleString("en");
  const aws = engine.aws ? ` (AWS's function: ${engine.aws["single-user"].importMs} ms)` : "";
  const parts = [
    `${title}, and the Secrets Manager endpoint, on loopback${engine.isDatabase ? ", verified TLS" : ""}`,
    ...strategies.map((strategy) =>
      rotationTable(
        engine,
        rows.filter((row) => row.strategy === strategy),
      ),
    ),
    `A cold process: the handler is loaded in ${cold((step) => step.importMs)} ms${aws}, and Secrets Manager's first answer is there
${cold((step) => step.firstAnswerMs)} ms after the process began.
The application logged in ${total(({ attempts }) => attempts)} times; it saw ${total(({ refused }) => refused)} refused, and the server counted ${total(({ refusedByServer }) => refusedByServer)}.`,
    ...(growths.length === 0 ? [] : [growthTable(growths)]),
    ...failures.map((failure) => `NOT MEASURED: ${failure}`),
  ];
  return parts.join("\n\n");
}

export const explanation = `\
How it was measured: the endpoint runs the rotations, the deployed bundle in a process of its own; cold: in a new process for each step,
whose start counts. Times are of the median rotation, with nothing else logging in. Calls are counted by the endpoint, logins by the
server itself. In the function's process, the API's time is from each request to its answer, and the server's while a connection to it is
open, in which the function computes for TLS and for its proof of the password too. The application reads AWSCURRENT before each login, and
is refused from the first refused attempt to the next accepted one; an attempt takes as long as a login. Growth is setSecret's time.
AWS's functions were measured on another day and with another endpoint (moto): compare the times without the API's.`;

/** A strategy's rows side by side, AWS's function and the target before them. */
function rotationTable(engine: BenchEngine, rows: readonly Row[]): string {
  const columns = rows.map(({ mode, variant }) => `${mode}, ${variant}`);
  const table = new Table({
    ...style,
    head: [rows[0]?.strategy ?? "", "AWS's, warm / cold", "at most", ...columns],
    colAligns: ["left", "right", "right", ...rows.map(() => "right" as const)],
  });
  for (const figure of figures) {
    const targets = new Set(rows.map((row) => figure.atMost?.(row, engine)).filter((value) => value !== undefined));
    const atMost = [...targets].map((value) => value.toFixed(0)).join(" / ");
    table.push([figure.name, awsCell(figure, engine, rows), atMost, ...rows.map((row) => cell(figure, engine, row))]);
  }
  return table.toString();
}

function awsCell(figure: Figure, { aws }: BenchEngine, rows: readonly Row[]): string {
  const modes: readonly Mode[] = ["warm", "cold"];
  const known = modes.map((mode) => aws && rows[0] && figure.aws?.(aws[rows[0].strategy], mode));
  if (known.every((value) => value === undefined)) return "-";
  const texts = known.map((value) => value?.toFixed(0) ?? "?");
  return texts[0] === texts[1] ? `${texts[0]}` : texts.join(" / ");
}

function cell(figure: Figure, engine: BenchEngine, row: Row): string {
  const value = figure.of(row);
  const limit = figure.atMost?.(row, engine);
  const verdict = limit === undefined ? "" : value <= limit ? "  met" : "  MISSED";
  return value.toFixed(0) + verdict;
}

function growthTable(growths: readonly Growth[]): string {
  const table = new Table({
    ...style,
    head: ["the twin's rights", "tables granted", "new twin, ms", "twin's turn, ms", "original's turn, ms"],
    colAligns: ["left", "right", "right", "right", "right"],
  });
  for (const { name, tables, newTwinMs, twinMs, originalMs } of growths) {
    const times = [newTwinMs, twinMs, originalMs].map((value) => value.toFixed(0));
    table.push([name, tables.toLocaleString("en"), ...times]);
  }
  return table.toString();
}

/** No colours, and no lines between the rows. */
const style = {
  style: { head: [], border: [] },
  chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
};
