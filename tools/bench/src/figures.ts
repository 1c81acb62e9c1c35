import type { BenchEngine } from "./engine.ts";
import type { Configuration, Mode, Row } from "./row.ts";

type ByMode = Readonly<Record<Mode, number>>;

/** Figures of AWS's own function for the same job. */
export interface AwsFigures {
  readonly apiCalls: number;
  readonly logins: number;
  readonly refusedLogins: number;
  readonly rotationMs: ByMode;
  /** Measured warm only. */
  readonly apiMs: number;
  readonly refusedWindowMs: ByMode;
  readonly importMs: number;
  readonly peakMemoryMb: number;
  readonly zipBytes: number;
}

/** One line of the report. */
export interface Figure {
  readonly name: string;
  readonly of: (row: Row) => number;
  readonly aws?: (figures: AwsFigures, mode: Mode) => number | undefined;
  /** The largest value that is good, where there is one. */
  readonly atMost?: (configuration: Configuration, engine: BenchEngine) => number | undefined;
}

const isMulti = ({ strategy }: Configuration) => strategy === "multi-user";

function longestRefusal({ strategy, variant }: Configuration, { windows }: BenchEngine): number | undefined {
  if (windows[strategy] === "none") return 0;
  return variant === "early-promotion" ? 40 : undefined;
}

export const figures: readonly Figure[] = [
  {
    name: "API calls",
    of: (row) => row.apiCalls,
    aws: (aws) => aws.apiCalls,
    atMost: (row, { isDatabase }) => (isDatabase ? (isMulti(row) ? 9 : 8) : undefined),
  },
  {
    name: "logins",
    of: (row) => row.logins,
    aws: (aws) => aws.logins,
    atMost: (row, { isDatabase }) => (isDatabase ? (isMulti(row) ? 4 : 3) : undefined),
  },
  {
    name: "of these refused",
    of: (row) => row.refusedLogins,
    aws: (aws) => aws.refusedLogins,
    atMost: () => 0,
  },
  {
    name: "rotation, ms",
    of: (row) => row.rotationMs,
    aws: (aws, mode) => aws.rotationMs[mode],
    atMost: ({ strategy, mode }, { aws }) => aws && aws[strategy].rotationMs[mode] / 2,
  },
  {
    name: "  waiting for the API",
    of: (row) => row.apiMs,
    aws: (aws, mode) => (mode === "warm" ? aws.apiMs : undefined),
  },
  { name: "  at the server", of: (row) => row.databaseMs },
  { name: "  own", of: (row) => row.rotationMs - row.apiMs - row.databaseMs },
  {
    name: "application refused, median ms",
    of: (row) => row.refusedWindowMs.median,
    aws: (aws, mode) => aws.refusedWindowMs[mode],
    atMost: longestRefusal,
  },
  {
    name: "application refused, longest ms",
    of: (row) => row.refusedWindowMs.max,
    atMost: longestRefusal,
  },
  { name: "  of so many rotations", of: (row) => row.refusedWindowMs.n },
  { name: "peak memory, MB", of: (row) => row.peakMemoryMb, aws: (aws) => aws.peakMemoryMb },
  { name: "handler, KB", of: (row) => row.bundleBytes / 1000, atMost: (_row, { handlerKb }) => handlerKb },
  { name: "zip, KB", of: (row) => row.zipBytes / 1000, aws: (aws) => aws.zipBytes / 1000 },
];
