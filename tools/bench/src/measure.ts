import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bundle, bundle, lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import type { BenchEngine } from "./engine.ts";
import type { EngineName } from "./engines.ts";
import { benchFunction, type StepCost } from "./function.ts";
import { type Growth, growth } from "./growth.ts";
import { type Measurement, planOf } from "./plan.ts";
import { type RefusedWindows, refusedWindows } from "./refused-window.ts";
import { rotationCost } from "./rotation-cost.ts";
import type { Row, Strategy } from "./row.ts";
import { startWorld, type World } from "./world.ts";

/** All that was seen of an engine. */
export interface Results {
  readonly engine: BenchEngine;
  /** The server, with its version. */
  readonly title: string;
  readonly rows: readonly Row[];
  readonly coldSteps: readonly StepCost[];
  readonly windows: readonly RefusedWindows[];
  readonly growths: readonly Growth[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/** @param progress is told what comes next */
export async function measure(name: EngineName, progress: (what: string) => void): Promise<Results> {
  await using stack = new AsyncDisposableStack();
  progress(`${name}: starting`);
  const world = stack.use(await startWorld(name));
  const { engine, server } = world;
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const bundles = await bundle(folder, await lambdaFunctions([join(workspace, engine.folder)]));

  const measured: Measured[] = [];
  for (const each of planOf(engine)) {
    progress(`${name}: ${each.strategy}, ${each.variant}, ${each.mode}`);
    measured.push(await measureOne(world, bundleOf(bundles, each.strategy), each));
  }
  const growths: Growth[] = [];
  const failures: string[] = [];
  if (server.growth) {
    const { cases, dropUser } = server.growth;
    await using by = await benchFunction(bundleOf(bundles, "multi-user"), "warm", world.env, server.port);
    for (const each of cases) {
      progress(`${name}: growth, ${each.name}`);
      try {
        growths.push(...(await growth(world, by, each, dropUser)));
      } catch (error) {
        // What was measured so far is worth its minutes; a rotation with many rights may be out of time on a busy machine.
        failures.push(`growth, ${each.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return {
    engine,
    title: server.title,
    rows: measured.map(({ row }) => row),
    coldSteps: measured.filter(({ row }) => row.mode === "cold").flatMap(({ steps }) => steps),
    windows: measured.map(({ windows }) => windows),
    growths,
    failures,
  };
}

interface Measured {
  readonly row: Row;
  readonly steps: readonly StepCost[];
  readonly windows: RefusedWindows;
}

async function measureOne(
  world: World,
  deployed: Bundle,
  { strategy, variant, mode, timed, underLogins }: Measurement,
): Promise<Measured> {
  const name = `${strategy}_${variant === "usual" ? "" : "early_"}${mode}`.replaceAll("-", "_");
  const account = await world.createAccount(name, strategy);
  const env = { ...world.env, EARLY_PROMOTION: String(variant === "early-promotion") };
  await using by = await benchFunction(deployed, mode, env, world.server.port);
  const { steps, ...cost } = await rotationCost(world, account, by, { warmUp: 2, n: timed });
  const windows = await refusedWindows(world, account, by, underLogins);
  const { bytes: bundleBytes, zipBytes } = deployed;
  const { refusedWindowMs } = windows;
  const row = { engine: world.name, strategy, variant, mode, ...cost, refusedWindowMs, bundleBytes, zipBytes };
  return { row, steps, windows };
}

function bundleOf(bundles: readonly Bundle[], strategy: Strategy): Bundle {
  const found = bundles.find((each) => each.strategy === strategy);
  if (found === undefined) throw new Error(`No bundle has the strategy ${strategy}.`);
  return found;
}
