/** `npm run bench`: what a rotation costs, beside AWS's own functions and the project's targets. Writes build/bench.json. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { workspace } from "@quarterturn-tools/bundle";
import { type EngineName, engineNames } from "./engines.ts";
import { measure } from "./measure.ts";
import { explanation, load, machine, report } from "./report.ts";
import type { Row } from "./row.ts";

const help = `\
npm run bench -- [--engine NAME]

Rotates secrets of real servers with the deployed bundles, prints what it cost,
and writes build/bench.json. An engine takes one to four minutes on two cores at
rest. Let the machine rest meanwhile.

  --engine NAME   ${engineNames.join(", ")}
                  (if absent: all that can be started here, one after the other)`;

const output = join(workspace, "build", "bench.json");
const started = performance.now();

try {
  const { values } = parseArgs({ options: { engine: { type: "string" }, help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await bench(values.engine === undefined ? engineNames : [named(values.engine)]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

function named(name: string): EngineName {
  const known = engineNames.find((each) => each === name);
  if (known === undefined) throw new Error(`There is no engine ${name}. There are: ${engineNames.join(", ")}.`);
  return known;
}

async function bench(names: readonly EngineName[]): Promise<void> {
  const rows: Row[] = [];
  console.log(`${machine()}\n${load()} before`);
  for (const name of names) {
    try {
      const results = await measure(name, progress);
      rows.push(...results.rows);
      if (results.failures.length > 0) process.exitCode = 1;
      console.log(`\n${report(results)}`);
    } catch (error) {
      // The others are measured all the same.
      console.error(`${name} was not measured:`, error);
      process.exitCode = 1;
    }
  }
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, `${JSON.stringify(rows, oneDecimal, 2)}\n`);
  console.log(`\n${explanation}\n\n${output}, ${seconds()} s, ${load()} at the end`);
}

function oneDecimal(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 10) / 10 : value;
}

function progress(what: string): void {
  console.error(`${seconds().padStart(4)} s  ${what}`);
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}
