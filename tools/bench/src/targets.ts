import type { Configuration, Mode, Row, Strategy } from "./row.ts";

type ByMode = Readonly<Record<Mode, number>>;

/** A figure of AWS's own function for the same job. */
interface AwsFigures {
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

/**
 * AWS's functions for PostgreSQL (aws-samples/aws-secrets-manager-rotation-lambdas, b4b8eca), measured with PostgreSQL 18.4 over trusted TLS
 * and moto, both on loopback; medians.
 */
export const awsFunctions: Readonly<Record<Strategy, AwsFigures>> = {
  "single-user": {
    apiCalls: 14,
    logins: 4,
    refusedLogins: 2,
    rotationMs: { warm: 247, cold: 1827 },
    apiMs: 111,
    refusedWindowMs: { warm: 136, cold: 1267 },
    importMs: 207,
    peakMemoryMb: 49,
    zipBytes: 373_000,
  },
  "multi-user": {
    apiCalls: 14,
    logins: 5,
    refusedLogins: 2,
    rotationMs: { warm: 278, cold: 1944 },
    apiMs: 113,
    refusedWindowMs: { warm: 0, cold: 0 },
    importMs: 214,
    peakMemoryMb: 49,
    zipBytes: 376_000,
  },
};

/** One line of the report. */
export interface Figure {
  readonly name: string;
  readonly of: (row: Row) => number;
  readonly aws?: (figures: AwsFigures, mode: Mode) => number | undefined;
  /** The largest value that is good, where there is one. */
  readonly atMost?: (configuration: Configuration) => number | undefined;
}

const isMulti = ({ strategy }: Configuration) => strategy === "multi-user";

function longestRefusal(configuration: Configuration): number | undefined {
  if (isMulti(configuration)) return 0;
  return configuration.variant === "early-promotion" ? 40 : undefined;
}

export const figures: readonly Figure[] = [
  {
    name: "API calls",
    of: (row) => row.apiCalls,
    aws: (aws) => aws.apiCalls,
    atMost: (row) => (isMulti(row) ? 9 : 8),
  },
  {
    name: "logins",
    of: (row) => row.logins,
    aws: (aws) => aws.logins,
    atMost: (row) => (isMulti(row) ? 4 : 3),
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
    atMost: ({ strategy, mode }) => awsFunctions[strategy].rotationMs[mode] / 2,
  },
  {
    name: "  waiting for the API",
    of: (row) => row.apiMs,
    aws: (aws, mode) => (mode === "warm" ? aws.apiMs : undefined),
  },
  { name: "  at the database", of: (row) => row.databaseMs },
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
  { name: "handler, KB", of: (row) => row.bundleBytes / 1000, atMost: () => 600 },
  { name: "zip, KB", of: (row) => row.zipBytes / 1000, aws: (aws) => aws.zipBytes / 1000 },
];
