import { cpus, loadavg, platform, release, totalmem } from "node:os";
import Table from "cli-table3";
import type { Growth } from "./growth.ts";
import type { Row } from "./row.ts";
import { awsFigures, type Figure, figures, target } from "./targets.ts";

/** Where the figures were taken: they mean little without it. */
export function machine(postgresVersion: string): string {
  const [cpu] = cpus();
  return [
    `${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}`,
    `Node.js ${process.versions.node}, PostgreSQL ${postgresVersion} and the Secrets Manager endpoint on loopback, TLS verified`,
    `${load()} before`,
  ].join("\n");
}

/** What else the machine did, in processes that wanted to run, over the last minute. */
export function load(): string {
  return `load average ${loadavg()[0]?.toFixed(1)}`;
}

/** A strategy's rows side by side, AWS's function and the target before them. */
export function rotationTable(rows: readonly Row[]): string {
  const table = new Table({
    head: [
      rows[0]?.strategy ?? "",
      "AWS's, warm / cold",
      "target",
      ...rows.map(({ mode, variant }) => `${mode}, ${variant}`),
    ],
    style: plain,
    colAligns: ["left", ...Array.from({ length: rows.length + 2 }, () => "right" as const)],
  });
  for (const figure of figures) {
    const aws = distinct(rows, (row) => figure.aws?.(awsFigures(row.strategy), row.mode));
    const targets = distinct(rows, (row) => target(figure, row));
    table.push([
      figure.name,
      aws.map((value) => value.toFixed(figure.digits)).join(" / "),
      targets.length === 0 ? "" : `at most ${targets.map((value) => value.toFixed(figure.digits)).join(" / ")}`,
      ...rows.map((row) => cell(figure, row)),
    ]);
  }
  return table.toString();
}

/** In the order of the rows. */
function distinct(rows: readonly Row[], of: (row: Row) => number | undefined): number[] {
  return [...new Set(rows.map(of).filter((value) => value !== undefined))];
}

function cell(figure: Figure, row: Row): string {
  const value = figure.of(row);
  const limit = target(figure, row);
  const met = limit === undefined ? "" : value <= limit ? " met" : " MISSED";
  return value.toFixed(figure.digits) + met;
}

export function growthTable(growths: readonly Growth[]): string {
  const table = new Table({
    head: ["tables granted", "setSecret, new twin, ms", "setSecret, original's turn, ms"],
    style: plain,
  });
  for (const { tables, newTwinMs, originalMs } of growths) {
    table.push([tables.toLocaleString("en"), newTwinMs.toFixed(1), originalMs.toFixed(1)]);
  }
  return table.toString();
}

const plain = { head: [], border: [] };
