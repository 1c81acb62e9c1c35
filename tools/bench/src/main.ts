/** `npm run bench`: what a rotation costs, beside AWS's own functions and the project's targets. Writes build/bench.json. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bundle, bundle } from "@quarterturn-tools/bundle";
import { benchFunction, type StepCost } from "./function.ts";
import { type Growth, growth } from "./growth.ts";
import { refusedWindows } from "./refused-window.ts";
import { growthTable, load, machine, rotationTable } from "./report.ts";
import { rotationCost } from "./rotation-cost.ts";
import type { Configuration, Row } from "./row.ts";
import { median } from "./statistics.ts";
import { awsFigures } from "./targets.ts";
import { startWorld } from "./world.ts";

const output = fileURLToPath(new URL("../../../build/bench.json", import.meta.url));

/** Rotations whose time is taken, and rotations under a login loop. Early promotion changes nothing where both users stay valid. */
const plan: readonly (Configuration & { readonly timed: number; readonly underLogins: number })[] = [
  { strategy: "single-user", variant: "usual", mode: "warm", timed: 25, underLogins: 50 },
  { strategy: "single-user", variant: "usual", mode: "cold", timed: 11, underLogins: 50 },
  { strategy: "single-user", variant: "early-promotion", mode: "warm", timed: 25, underLogins: 50 },
  { strategy: "single-user", variant: "early-promotion", mode: "cold", timed: 11, underLogins: 50 },
  { strategy: "multi-user", variant: "usual", mode: "warm", timed: 25, underLogins: 200 },
  { strategy: "multi-user", variant: "usual", mode: "cold", timed: 11, underLogins: 20 },
];

const started = performance.now();
await using stack = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "quarterturn-bench-"));
stack.defer(() => rm(folder, { recursive: true }));
const bundles = (await bundle(folder)).filter(({ engine }) => engine === "postgres");
const world = stack.use(await startWorld());
console.log(`${machine(world.server.version)}\n`);

const rows: Row[] = [];
const coldSteps: StepCost[] = [];
let attempts = 0;
for (const each of plan) await measure(each);
const growths = await grow();
print();
await mkdir(dirname(output), { recursive: true });
await writeFile(output, `${JSON.stringify(rows, oneDecimal, 2)}\n`);

async function measure({ strategy, variant, mode, timed, underLogins }: (typeof plan)[number]): Promise<void> {
  progress(`${strategy}, ${variant}, ${mode}`);
  const measured = bundleOf(strategy);
  const account = await world.createAccount(`application_${rows.length}`);
  const env = { ...world.env, EARLY_PROMOTION: String(variant === "early-promotion") };
  await using by = await benchFunction(measured, mode, env, world.server.port);
  const { steps, ...cost } = await rotationCost(world, account, by, { warmUp: 2, n: timed });
  const windows = await refusedWindows(world, account, by, underLogins);
  if (mode === "cold") coldSteps.push(...steps);
  attempts += windows.attempts;
  const { engine, bytes: bundleBytes, zipBytes } = measured;
  const { refusedWindowMs } = windows;
  rows.push({ engine, strategy, variant, mode, ...cost, refusedWindowMs, bundleBytes, zipBytes });
}

async function grow(): Promise<Growth[]> {
  const by = stack.use(await benchFunction(bundleOf("multi-user"), "warm", world.env, world.server.port));
  const found: Growth[] = [];
  for (const tables of [10, 1_000, 10_000]) {
    progress(`growth, ${tables} tables`);
    found.push(await growth(world, by, tables));
  }
  return found;
}

function print(): void {
  for (const strategy of new Set(rows.map((row) => row.strategy))) {
    console.log(`${rotationTable(rows.filter((row) => row.strategy === strategy))}\n`);
  }
  const cold = (of: (step: StepCost) => number) => median(coldSteps.map(of)).toFixed(0);
  const aws = awsFigures("single-user");
  console.log(`Cold start of a process: the handler is loaded in ${cold((step) => step.importMs)} ms (AWS's function: ${aws.importMs} ms), and Secrets Manager's
first answer is there ${cold((step) => step.firstAnswerMs)} ms after the process began.
The application tried to log in ${attempts.toLocaleString("en")} times.

${growthTable(growths)}

How it was measured. Rotations run by the endpoint, the deployed bundle in a process of its own; cold: a new process for each step, whose
start counts. Times are of the median rotation, taken while nothing else logs in. Calls are counted by the endpoint, logins by the server's
log. In the function's process, the API's time is from each request to its answer, the database's from connecting to the closed connection,
with what the function computes for TLS and SCRAM meanwhile. The application reads AWSCURRENT before each login; it is refused from the
first refused attempt to the next accepted one, one attempt being as long as a login takes. AWS's functions were measured on another
occasion, with another endpoint, which answered more slowly (most of their API time).
${output}, ${((performance.now() - started) / 1000).toFixed(0)} s, ${load()} at the end`);
}

function bundleOf(strategy: string): Bundle {
  const found = bundles.find((each) => each.strategy === strategy);
  if (found === undefined) throw new Error(`No bundle has the strategy ${strategy}.`);
  return found;
}

function oneDecimal(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 10) / 10 : value;
}

function progress(what: string): void {
  console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${what}`);
}
