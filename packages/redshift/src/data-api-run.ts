import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { DescribeStatementCommandOutput, Field } from "@aws-sdk/client-redshift-data";
import { RotationError, reasonOf } from "@quarterturn/core";
import { type Action, apiError, statementError } from "./data-api-error.ts";
import type { Place } from "./place.ts";
import type { RedshiftData, Sending } from "./redshift-data-client.ts";
import type { Row, Statement } from "./transport.ts";

/** Where and as whom statements run. */
export type Target = Place & { readonly Database: string | undefined; readonly SecretArn: string };

/** A statement, or the login before it, FAILED. `failed` counts from 0; it is undefined where it is not known which. */
export interface Failure {
  readonly text: string;
  readonly failed: number | undefined;
}

/** What both a submission and a description may answer. */
type Answer = {
  readonly [Key in "Id" | "Status" | "HasResultSet" | "SubStatements" | "Error"]?:
    | DescribeStatementCommandOutput[Key]
    | undefined;
};

/**
 * Submits statements as one transaction, waits until they have ended, and gives the rows of each.
 *
 * The service is asked to describe them when they have ended, so that little is polled, and not to answer the submission then: its id is needed
 * to cancel what has not ended in time. Where it answers early it is asked again, ever less often.
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
  const afterwards = () => sending(Math.ceil(Math.min(CANCEL_MS, milliseconds / 4)));
  const token = randomUUID();
  const call = <Output>(action: Action, sent: Promise<Output>): Promise<Output> =>
    sent.catch((error: unknown) => {
      throw apiError(error, action, where);
    });

  const answer = await ended(await submitted());
  if (answer.Status !== "FINISHED") return failureOf(answer);
  const results: (readonly Row[])[] = [];
  for (const { Id: id = "", HasResultSet: hasRows, ResultRows: count } of answer.SubStatements ?? []) {
    results.push(hasRows && count !== 0 ? await rowsOf(id) : []);
  }
  return results;

  /** Where it is not known whether the service has them, it is asked again with the same token, and cancels what that stands for. */
  async function submitted(): Promise<Answer> {
    const action = "redshift-data:BatchExecuteStatement";
    try {
      return await submit(sending(remaining()));
    } catch (error) {
      if ((error as { readonly $fault?: string }).$fault === "client") throw apiError(error, action, where);
      const outcome = await submit(afterwards()).then(
        ({ Id: id }) => cancel(id),
        (again: unknown) => `could not be cancelled: ${reasonOf(again)}`,
      );
      throw apiError(error, action, where, ` (it ${outcome})`);
    }
  }

  function submit(options: Sending): Promise<Answer> {
    const { sqls, parameters } = inOneBatch(statements);
    const input = {
      ...target,
      ClientToken: token,
      Sqls: sqls,
      ...(parameters.length > 0 && { Parameters: parameters }),
    };
    return client.batchExecuteStatement(input, options);
  }

  async function ended(submitted: Answer): Promise<Answer> {
    // Only a description tells why a statement failed, and which of several returned rows.
    try {
      for (let attempt = 0; remaining() > pause(attempt) + LAST_CALL_MS; attempt++) {
        const described = await describe(submitted.Id);
        if (isEnd(described.Status)) return described;
        await sleep(pause(attempt));
      }
    } catch (error) {
      await cancel(submitted.Id);
      throw error;
    }
    throw new RotationError(
      "timeout",
      `${where}: ${statements.at(-1)?.doing}: it had not ended after ${milliseconds} ms and ${await cancel(submitted.Id)}`,
      "Another session may hold what it needs, or the queue is long. The service tries again, which is safe.",
    );
  }

  function describe(id: string | undefined): Promise<Answer> {
    const wait = waiting();
    const options = sending(remaining(), wait.WaitTimeSeconds);
    return call("redshift-data:DescribeStatement", client.describeStatement({ Id: id, ...wait }, options));
  }

  /** @returns what came of it, in words: the statement may have ended in this moment, which is answered with a ValidationException */
  function cancel(id: string | undefined): Promise<string> {
    return client.cancelStatement(id, afterwards()).then(
      () => "was cancelled",
      (error: unknown) => `could not be cancelled (${reasonOf(error)})`,
    );
  }

  async function rowsOf(id: string): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let next: string | undefined;
    do {
      const input = { Id: id, ...(next !== undefined && { NextToken: next }) };
      const page = await call(
        "redshift-data:GetStatementResult",
        client.getStatementResult(input, sending(remaining())),
      );
      const names = (page.ColumnMetadata ?? []).map(({ name, label }) => label ?? name ?? "");
      for (const record of page.Records ?? []) {
        rows.push(Object.fromEntries(record.map((field, index) => [names[index] ?? "", fieldValue(field)])));
      }
      next = page.NextToken || undefined;
    } while (next !== undefined);
    return rows;
  }

  /** The whole seconds that fit into the time that is left, and leave some for the answer. 30 are the service's most. */
  function waiting(): { readonly WaitTimeSeconds?: number } {
    const seconds = Math.min(30, Math.floor((remaining() - 500) / 1_000));
    return seconds < 1 ? {} : { WaitTimeSeconds: seconds };
  }
}

/** The most that each of the two calls takes that cancel a statement, when the time for it is up. */
const CANCEL_MS = 1_000;

/** The most that an answer takes after what it waits for. */
const ANSWER_MS = 3_000;

/** @param milliseconds the time for a call with its retries @param wait the seconds that the service is asked to wait before it answers one */
const sending = (milliseconds: number, wait = 0): Sending => ({
  abortSignal: AbortSignal.timeout(milliseconds),
  requestTimeout: wait * 1_000 + ANSWER_MS,
});

/** What is left for the last look at a statement, so that it is cancelled and not forgotten. */
const LAST_CALL_MS = 100;

/** Milliseconds: 5, 10, 20 ... 640. */
const pause = (attempt: number) => 5 * 2 ** Math.min(attempt, 7);

const isEnd = (status: Answer["Status"]) => status === "FINISHED" || status === "FAILED" || status === "ABORTED";

function failureOf({ Error: text, Status: status, SubStatements: parts = [] }: Answer): Failure {
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
