import { cpus, loadavg, platform, release, totalmem } from "node:os";
import Table from "cli-table3";
import type { StepCost } from "./function.ts";
import type { Growth } from "./growth.ts";
import type { RefusedWindows } from "./refused-window.ts";
import type { Mode, Row } from "./row.ts";
import { median, sum } from "./statistics.ts";
import { awsFunctions, type Figure, figures } from "./targets.ts";

/** Where the figures were taken: they mean little without it. */
export function machine(postgresVersion: string): string {
  const processors = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}`;
  return `${processors}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}
Node.js ${process.versions.node}, PostgreSQL ${postgresVersion} and the Secrets Manager endpoint on loopback, verified TLS`;
}

/** How many processes wanted to run during the last minute: more than there are processors, and the times are too long. */
export function load(): string {
  return `load average ${loadavg()[0]?.toFixed(1)}`;
}

export interface Results {
  readonly rows: readonly Row[];
  readonly coldSteps: readonly StepCost[];
  readonly windows: readonly RefusedWindows[];
  readonly growths: readonly Growth[];
}

export function report({ rows, coldSteps, windows, growths }: Results): string {
  const strategies = [...new Set(rows.map(({ strategy }) => strategy))];
  const cold = (of: (step: StepCost) => number) => median(coldSteps.map(of)).toFixed(0);
  const aws = awsFunctions["single-user"];
  return `${strategies.map((strategy) => rotationTable(rows.filter((row) => row.strategy === strategy))).join("\n\n")}

A cold process: the handler is loaded in ${cold((step) => step.importMs)} ms (AWS's function: ${aws.importMs} ms), and Secrets Manager's first answer is there
${cold((step) => step.firstAnswerMs)} ms after the process began.
The application tried to log in ${sum(windows.map(({ attempts }) => attempts)).toLocaleString("en")} times.

${growthTable(growths)}

How it was measured: the endpoint runs the rotations, the deployed bundle in a process of its own; cold: in a new process for each step,
whose start counts. Times are of the median rotation, with nothing else logging in. Calls are counted by the endpoint, logins by the
server's log. In the function's process, the API's time is from each request to its answer, and the database's from connecting to the closed
connection, in which the function computes for TLS and SCRAM too. The application reads AWSCURRENT before each login, and is refused from
the first refused attempt to the next accepted one; an attempt takes as long as a login.
AWS's functions were measured on another day and with another endpoint (moto): compare the times without the API's.`;
}

/** A strategy's rows side by side, AWS's function and the target before them. */
function rotationTable(rows: readonly Row[]): string {
  const columns = rows.map(({ mode, variant }) => `${mode}, ${variant}`);
  const table = new Table({
    ...style,
    head: [rows[0]?.strategy ?? "", "AWS's, warm / cold", "at most", ...columns],
    colAligns: ["left", "right", "right", ...rows.map(() => "right" as const)],
  });
  for (const figure of figures) {
    const targets = new Set(rows.map((row) => figure.atMost?.(row)).filter((value) => value !== undefined));
    const atMost = [...targets].map((value) => value.toFixed(0)).join(" / ");
    table.push([figure.name, awsCell(figure, rows), atMost, ...rows.map((row) => cell(figure, row))]);
  }
  return table.toString();
}

function awsCell(figure: Figure, rows: readonly Row[]): string {
  const modes: readonly Mode[] = ["warm", "cold"];
  const known = modes.map((mode) => rows[0] && figure.aws?.(awsFunctions[rows[0].strategy], mode));
  const texts = known.map((value) => value?.toFixed(0) ?? "?");
  if (known.every((value) => value === undefined)) return "";
  return texts[0] === texts[1] ? `${texts[0]}` : texts.join(" / ");
}

function cell(figure: Figure, row: Row): string {
  const value = figure.of(row);
  const limit = figure.atMost?.(row);
  const verdict = limit === undefined ? "" : value <= limit ? "  met" : "  MISSED";
  return value.toFixed(0) + verdict;
}

function growthTable(growths: readonly Growth[]): string {
  const table = new Table({
    ...style,
    head: ["tables granted", "setSecret, new twin, ms", "setSecret, original's turn, ms"],
    colAligns: ["right", "right", "right"],
  });
  for (const { tables, newTwinMs, originalMs } of growths) {
    table.push([tables.toLocaleString("en"), newTwinMs.toFixed(0), originalMs.toFixed(0)]);
  }
  return table.toString();
}

/** No colours, and no lines between the rows. */
const style = {
  style: { head: [], border: [] },
  chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
};
