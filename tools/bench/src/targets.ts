import type { Configuration, Mode, Row } from "./row.ts";

type Strategy = "single-user" | "multi-user";
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
 * and moto, both on loopback; medians. moto takes longer to answer than the endpoint that is used here.
 */
const awsFunctions: Readonly<Record<Strategy, AwsFigures>> = {
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
  readonly digits: number;
  readonly aws?: (figures: AwsFigures, mode: Mode) => number | undefined;
  /** The largest value that is good, where there is one. */
  readonly atMost?: (configuration: Configuration & { strategy: Strategy }) => number | undefined;
}

const half = (of: (figures: AwsFigures) => ByMode) => (row: Configuration & { strategy: Strategy }) =>
  of(awsFunctions[row.strategy])[row.mode] / 2;
const isMulti = ({ strategy }: Configuration) => strategy === "multi-user";

export const figures: readonly Figure[] = [
  {
    name: "API calls",
    of: (row) => row.apiCalls,
    digits: 0,
    aws: (aws) => aws.apiCalls,
    atMost: (row) => (isMulti(row) ? 9 : 8),
  },
  {
    name: "logins",
    of: (row) => row.logins,
    digits: 0,
    aws: (aws) => aws.logins,
    atMost: (row) => (isMulti(row) ? 4 : 3),
  },
  {
    name: "of these refused",
    of: (row) => row.refusedLogins,
    digits: 0,
    aws: (aws) => aws.refusedLogins,
    atMost: () => 0,
  },
  {
    name: "rotation, ms",
    of: (row) => row.rotationMs,
    digits: 0,
    aws: (aws, mode) => aws.rotationMs[mode],
    atMost: half((aws) => aws.rotationMs),
  },
  {
    name: "  waiting for the API",
    of: (row) => row.apiMs,
    digits: 0,
    aws: (aws, mode) => (mode === "warm" ? aws.apiMs : undefined),
  },
  { name: "  at the database", of: (row) => row.databaseMs, digits: 0 },
  { name: "  own", of: (row) => row.rotationMs - row.apiMs - row.databaseMs, digits: 0 },
  {
    name: "application refused, median ms",
    of: (row) => row.refusedWindowMs.median,
    digits: 0,
    aws: (aws, mode) => aws.refusedWindowMs[mode],
    atMost: (row) =>
      isMulti(row) ? 0 : row.variant === "early-promotion" ? 40 : half((aws) => aws.refusedWindowMs)(row),
  },
  {
    name: "application refused, longest ms",
    of: (row) => row.refusedWindowMs.max,
    digits: 0,
    atMost: (row) => (isMulti(row) ? 0 : row.variant === "early-promotion" ? 40 : undefined),
  },
  { name: "  of so many rotations", of: (row) => row.refusedWindowMs.n, digits: 0 },
  { name: "peak memory, MB", of: (row) => row.peakMemoryMb, digits: 0, aws: (aws) => aws.peakMemoryMb },
  { name: "handler, KB", of: (row) => row.bundleBytes / 1000, digits: 0, atMost: () => 600 },
  { name: "zip, KB", of: (row) => row.zipBytes / 1000, digits: 0, aws: (aws) => aws.zipBytes / 1000 },
];

export const awsFigures = (strategy: string): AwsFigures => awsFunctions[asStrategy(strategy)];

export const target = (figure: Figure, { strategy, variant, mode }: Configuration): number | undefined =>
  figure.atMost?.({ strategy: asStrategy(strategy), variant, mode });

function asStrategy(name: string): Strategy {
  if (name === "single-user" || name === "multi-user") return name;
  throw new Error(`There are no figures of AWS's functions for the strategy ${name}.`);
}
