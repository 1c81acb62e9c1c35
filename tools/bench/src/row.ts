export type Strategy = "single-user" | "multi-user";
/** Whether one process runs all steps of all rotations, or each step has a new one. */
export type Mode = "warm" | "cold";
type Variant = "usual" | "early-promotion";

/** What is measured: a function with its settings, kept warm or not. */
export interface Configuration {
  readonly strategy: Strategy;
  readonly variant: Variant;
  readonly mode: Mode;
}

/** One row of build/bench.json. Times are in milliseconds, of the rotation whose time is the median. */
export interface Row extends Configuration {
  /** As the command line names it. */
  readonly engine: string;
  /** Calls of Secrets Manager, as its endpoint counts them. */
  readonly apiCalls: number;
  /** Logins of the function, refused ones included, as the server counts them. */
  readonly logins: number;
  readonly refusedLogins: number;
  readonly rotationMs: number;
  readonly apiMs: number;
  readonly databaseMs: number;
  readonly refusedWindowMs: { readonly median: number; readonly max: number; readonly n: number };
  readonly peakMemoryMb: number;
  readonly bundleBytes: number;
  readonly zipBytes: number;
}
