import type { Run, Statement } from "./statement.ts";
import type { FieldValue, WarehouseResult } from "./warehouse.ts";

const seconds = (time: number) => time / 1000;

export const submissionAnswerOf = ({ whole, submission, parts }: Statement) => ({
  ...placeOf(submission.at),
  Id: whole.id,
  CreatedAt: seconds(whole.createdAt),
  Database: submission.at.database,
  SecretArn: submission.secretArn,
  Status: whole.status,
  HasResultSet: parts.some(hasResultSet),
});

export const descriptionOf = ({ whole, submission, parts }: Statement) => ({
  ...placeOf(submission.at),
  ...runAnswerOf(whole),
  HasResultSet: parts.some(hasResultSet),
  Database: submission.at.database,
  SecretArn: submission.secretArn,
  ...(submission.parameters.length > 0 && { QueryParameters: submission.parameters }),
  ...(submission.isBatch && { SubStatements: parts.map(runAnswerOf) }),
});

export const pageOf = ({ columns = [], rows }: WarehouseResult, first: number, size: number) => ({
  ColumnMetadata: columns.map(({ name, typeName }) => ({ name, label: name, typeName })),
  Records: rows.slice(first, first + size).map((row) => row.map(fieldOf)),
  TotalNumRows: rows.length,
  ...(rows.length > first + size && { NextToken: String(first + size) }),
});

export const hasResultSet = ({ result }: Run) => result?.columns !== undefined;

const placeOf = ({ clusterIdentifier, workgroupName }: Statement["submission"]["at"]) => ({
  ClusterIdentifier: clusterIdentifier,
  WorkgroupName: workgroupName,
});

/** -1 stands for what is not known. */
const runAnswerOf = (run: Run) => ({
  Id: run.id,
  Status: run.status,
  CreatedAt: seconds(run.createdAt),
  UpdatedAt: seconds(run.updatedAt),
  // Nanoseconds.
  Duration: run.startedAt === undefined ? -1 : (run.updatedAt - run.startedAt) * 1_000_000,
  HasResultSet: hasResultSet(run),
  ResultRows: run.result?.rowCount ?? -1,
  ResultSize: run.result === undefined ? -1 : Buffer.byteLength(JSON.stringify(run.result.rows)),
  ...(run.sql !== "" && { QueryString: run.sql }),
  ...(run.error !== undefined && { Error: run.error }),
});

function fieldOf(value: FieldValue): object {
  if (value === null) return { isNull: true };
  if (typeof value === "boolean") return { booleanValue: value };
  if (typeof value === "string") return { stringValue: value };
  return Number.isInteger(value) ? { longValue: value } : { doubleValue: value };
}
