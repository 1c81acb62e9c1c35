import { fileURLToPath } from "node:url";
import { type Bundle, deploy, type Invocation, startLambda } from "@quarterturn-tools/bundle";
import type { Mode } from "./row.ts";
import { covered, sum } from "./statistics.ts";

/** What one step cost. */
export interface StepCost {
  /** From the service's invocation to the answer: for a cold step the start of the process too. */
  readonly totalMs: number;
  readonly apiMs: number;
  readonly databaseMs: number;
  readonly peakMemoryMb: number;
  /** Loading the handler; 0 for a warm step. */
  readonly importMs: number;
  /** From the start of the process to the first answer of Secrets Manager; for a warm step that was long before. */
  readonly firstAnswerMs: number;
}

/** A deployed bundle, as the service sees it. */
export interface BenchFunction extends AsyncDisposable {
  invoke(event: unknown): Promise<StepCost>;
}

/** @param databasePort the port to which connections count as the server's */
export async function benchFunction(
  { zipFile }: Bundle,
  mode: Mode,
  env: Readonly<Record<string, string>>,
  databasePort: number,
): Promise<BenchFunction> {
  await using starting = new AsyncDisposableStack();
  const { folder } = starting.use(await deploy(zipFile));
  const start = () =>
    startLambda({ folder, preload: wireTimes, env: { ...env, BENCH_DATABASE_PORT: String(databasePort) } });
  const warm = mode === "warm" ? starting.use(await start()) : undefined;
  const started = starting.move();
  return {
    async invoke(event) {
      const begun = performance.now();
      if (warm) {
        const invocation = await warm.invoke(event);
        return stepCost(invocation, performance.now() - begun, 0);
      }
      const cold = started.use(await start());
      try {
        const invocation = await cold.invoke(event);
        return stepCost(invocation, performance.now() - begun, cold.initMs);
      } finally {
        // The service does not wait until the process is gone.
        void cold.kill();
      }
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

const wireTimes = fileURLToPath(new URL("./wire-times.cjs", import.meta.url));

function stepCost({ measures, peakMemoryMb }: Invocation, totalMs: number, importMs: number): StepCost {
  const of = (kind: string) => measures.filter(({ name }) => name === kind);
  const [first] = of("api");
  return {
    totalMs,
    apiMs: sum(of("api").map(({ duration }) => duration)),
    // A login may be tried while another connection is open.
    databaseMs: covered(of("database")),
    peakMemoryMb,
    importMs,
    firstAnswerMs: first === undefined ? 0 : first.startTime + first.duration,
  };
}
