/** `npm run bench:cache`: what a get of @quarterturn/cache costs, beside AWS's cache for Python. */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { load, machine } from "../report.ts";
import { type CacheFigures, measureCaches } from "./measure.ts";

const help = `\
npm run bench:cache

Measures what a get of @quarterturn/cache costs, and of AWS's cache for Python,
against a local Secrets Manager. Needs python3 with venv, and fetches what
requirements.txt names when it is first run. Half a minute; let the machine rest
meanwhile.`;

try {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await bench();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function bench(): Promise<void> {
  console.log(`${machine()}\n${load()} before`);
  const { ours, python, calls, secrets, gets } = await measureCaches({ secrets: 500, gets: 100_000 });
  const table = new Table({
    head: ["", "@quarterturn/cache", "AWS's for Python"],
    colAligns: ["left", "right", "right"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  const row = (title: string, of: (figures: CacheFigures) => number, digits: number) =>
    table.push([title, ...[ours, python].map((figures) => of(figures).toFixed(digits))]);
  row("a secret that is held, ns of a processor", ({ one }) => one, 0);
  row("  its JSON parsed, ns", ({ parsed }) => parsed, 0);
  row("  gets in a second of a processor, thousands", ({ parsed }) => 1e6 / parsed, 0);
  row(`one of ${secrets} in turn, ns`, ({ many }) => many, 0);
  row("a secret that is not held, ms", ({ first }) => first / 1e6, 2);
  table.push(["  calls of Secrets Manager", calls.ours.toFixed(1), calls.python.toFixed(1)]);
  console.log(`${table}

Means of ${gets.toLocaleString("en")} gets, one after the other in one process; ours gives an object that a schema has checked when it was
fetched, the other a text. The endpoint is on loopback. ${load()} at the end`);
}
