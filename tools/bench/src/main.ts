/** `npm run bench`: what a rotation costs, beside AWS's own functions and the project's targets. Writes build/bench.json. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bundle, bundle } from "@quarterturn-tools/bundle";
import { benchFunction, type StepCost } from "./function.ts";
import { growth } from "./growth.ts";
import { type RefusedWindows, refusedWindows } from "./refused-window.ts";
import { load, machine, report } from "./report.ts";
import { rotationCost } from "./rotation-cost.ts";
import type { Configuration, Row, Strategy } from "./row.ts";
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
console.log(`${machine(world.server.version)}\n${load()} before\n`);

const measured: Measured[] = [];
for (const each of plan) measured.push(await measure(each));
progress("growth");
await using multiUser = await benchFunction(bundleOf("multi-user"), "warm", world.env, world.server.port);
const growths = await growth(world, multiUser, [10, 1_000, 10_000]);

const rows = measured.map(({ row }) => row);
const coldSteps = measured.filter(({ row }) => row.mode === "cold").flatMap(({ steps }) => steps);
console.log(report({ rows, coldSteps, windows: measured.map(({ windows }) => windows), growths }));
await mkdir(dirname(output), { recursive: true });
await writeFile(output, `${JSON.stringify(rows, oneDecimal, 2)}\n`);
console.log(`\n${output}, ${seconds()} s, ${load()} at the end`);

interface Measured {
  readonly row: Row;
  readonly steps: readonly StepCost[];
  readonly windows: RefusedWindows;
}

async function measure({ strategy, variant, mode, timed, underLogins }: (typeof plan)[number]): Promise<Measured> {
  progress(`${strategy}, ${variant}, ${mode}`);
  const account = await world.createAccount(`${strategy}_${variant}_${mode}`.replaceAll("-", "_"));
  const env = { ...world.env, EARLY_PROMOTION: String(variant === "early-promotion") };
  const deployed = bundleOf(strategy);
  await using by = await benchFunction(deployed, mode, env, world.server.port);
  const { steps, ...cost } = await rotationCost(world, account, by, { warmUp: 2, n: timed });
  const windows = await refusedWindows(world, account, by, underLogins);
  const { engine, bytes: bundleBytes, zipBytes } = deployed;
  const { refusedWindowMs } = windows;
  return { row: { engine, strategy, variant, mode, ...cost, refusedWindowMs, bundleBytes, zipBytes }, steps, windows };
}

function bundleOf(strategy: Strategy): Bundle {
  const found = bundles.find((each) => each.engine === "postgres" && each.strategy === strategy);
  if (found === undefined) throw new Error(`No bundle has the strategy ${strategy}.`);
  return found;
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
