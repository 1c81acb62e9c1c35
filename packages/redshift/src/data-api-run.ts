import { setTimeout as sleep } from "node:timers/promises";
import type { DescribeStatementCommandOutput, Field } from "@aws-sdk/client-redshift-data";
import { RotationError, reasonOf } from "@quarterturn/core";
import { type Action, apiError, statementError } from "./data-api-error.ts";
import type { Place } from "./place.ts";
import type { RedshiftData } from "./redshift-data-client.ts";
import type { Row, Statement } from "./transport.ts";

/** Where and as whom statements run. */
export type Target = Place & { readonly Database: string | undefined; readonly SecretArn: string };

/** A statement, or the login before it, FAILED. `failed` counts from 0; it is undefined where it is not known which. */
export interface Failure {
  readonly text: string;
  readonly failed: number | undefined;
}

/**
 * Submits statements as one transaction, waits until they have ended, and gives the rows of each.
 *
 * The service is asked to answer the description when they have ended, so that little is polled, and not the submission, whose id is needed to
 * cancel what has not ended in time. Where it answers early it is asked again, ever less often.
 *
 * @param milliseconds the time for all of it
 * @throws RotationError
 */
export async function runStatements(
  client: RedshiftData,
  target: Target,
  statements: readonly Statement[],
  milliseconds: number,
  where: string,
): Promise<readonly (readonly Row[])[] | Failure> {
  const end = performance.now() + milliseconds;
  const remaining = () => Math.max(1, Math.ceil(end - performance.now()));
  const signal = () => ({ abortSignal: AbortSignal.timeout(remaining()) });
  const call = <Output>(action: Action, sent: Promise<Output>): Promise<Output> =>
    sent.catch((error: unknown) => {
      throw apiError(error, action, where);
    });

  const { sqls, parameters } = inOneBatch(statements);
  const input = { ...target, Sqls: sqls, ...(parameters.length > 0 && { Parameters: parameters }) };
  const submitted = await call("redshift-data:BatchExecuteStatement", client.batchExecuteStatement(input, signal()));
  const answer = await ended(submitted.Id);
  if (answer.Status !== "FINISHED") return failureOf(answer);
  const results: (readonly Row[])[] = [];
  for (const { Id: id = "", HasResultSet: hasRows, ResultRows: count } of answer.SubStatements ?? []) {
    results.push(hasRows && count !== 0 ? await rowsOf(id) : []);
  }
  return results;

  async function ended(id: string | undefined): Promise<DescribeStatementCommandOutput> {
    try {
      for (let attempt = 0; remaining() > pause(attempt) + LAST_CALL_MS; attempt++) {
        const described = await describe(id);
        if (isEnd(described.Status)) return described;
        await sleep(pause(attempt));
      }
    } catch (error) {
      await cancel(id);
      throw error;
    }
    throw new RotationError(
      "timeout",
      `${where}: ${statements.at(-1)?.doing}: it had not ended after ${milliseconds} ms ${await cancel(id)}`,
      "Another session may hold what it needs, or the queue is long. The service tries again, which is safe.",
    );
  }

  function describe(id: string | undefined): Promise<DescribeStatementCommandOutput> {
    return call("redshift-data:DescribeStatement", client.describeStatement({ Id: id, ...waiting() }, signal()));
  }

  /** @returns what came of it, in words: the statement may have ended in this moment, which is answered with a ValidationException */
  function cancel(id: string | undefined): Promise<string> {
    return client.cancelStatement(id, { abortSignal: AbortSignal.timeout(CANCEL_MS) }).then(
      () => "and was cancelled",
      (error: unknown) => `and could not be cancelled (${reasonOf(error)})`,
    );
  }

  async function rowsOf(id: string): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let token: string | undefined;
    do {
      const input = { Id: id, ...(token !== undefined && { NextToken: token }) };
      const page = await call("redshift-data:GetStatementResult", client.getStatementResult(input, signal()));
      const names = (page.ColumnMetadata ?? []).map(({ name, label }) => label ?? name ?? "");
      for (const record of page.Records ?? []) {
        rows.push(Object.fromEntries(record.map((field, index) => [names[index] ?? "", fieldValue(field)])));
      }
      token = page.NextToken || undefined;
    } while (token !== undefined);
    return rows;
  }

  /** The whole seconds that fit into the time that is left, and leave some for the answer. 30 are the service's most. */
  function waiting(): { readonly WaitTimeSeconds?: number } {
    const seconds = Math.min(30, Math.floor((remaining() - 500) / 1_000));
    return seconds < 1 ? {} : { WaitTimeSeconds: seconds };
  }
}

const CANCEL_MS = 1_000;

/** What is left for the last look at a statement, so that it is cancelled and not forgotten. */
const LAST_CALL_MS = 100;

/** Milliseconds: 5, 10, 20 ... 640. */
const pause = (attempt: number) => 5 * 2 ** Math.min(attempt, 7);

const isEnd = (status: DescribeStatementCommandOutput["Status"]) =>
  status === "FINISHED" || status === "FAILED" || status === "ABORTED";

function failureOf({
  Error: text,
  Status: status,
  SubStatements: parts = [],
}: DescribeStatementCommandOutput): Failure {
  const failed = parts.findIndex((part) => part.Status === "FAILED");
  if (failed < 0) return { text: text ?? `it is ${status}`, failed: undefined };
  return { text: parts[failed]?.Error ?? text ?? "", failed };
}

/** The parameters of a batch are shared by its statements, so each gets names of its own. */
function inOneBatch(statements: readonly Statement[]) {
  const sqls = statements.map(({ sql, parameters }, index) =>
    parameters === undefined ? sql : sql.replace(/:(\w+)/g, (_whole, name: string) => `:${name}_${index}`),
  );
  const parameters = statements.flatMap((statement, index) =>
    Object.entries(statement.parameters ?? {}).map(([name, value]) => ({ name: `${name}_${index}`, value })),
  );
  return { sqls, parameters };
}

function fieldValue(field: Field): Row[string] {
  if (field.isNull) return null;
  const { stringValue, longValue, doubleValue, booleanValue } = field;
  return stringValue ?? longValue ?? doubleValue ?? booleanValue ?? null;
}

/** The error of statements of which one failed. */
export function failedError({ text, failed }: Failure, statements: readonly Statement[], where: string): RotationError {
  const statement = statements[failed ?? 0] ?? { doing: "running statements" };
  return statementError(text, where, statement);
}
