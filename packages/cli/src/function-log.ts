import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { oneLine, reasonOf } from "@quarterturn/core";
import * as v from "valibot";
import type { Context } from "./context.ts";

/** What a rotation function of this project says in its log. Lines of other functions are not shown: nobody knows what is in them. */
export interface LogRecord {
  readonly time: Date;
  readonly step: string;
  readonly message: string;
  /** Why the step failed; absent where the record is not of a failure. */
  readonly failure?: string;
}

export interface FunctionLog extends Disposable {
  /** What was not read before. What the log cannot be read for is noted once, and nothing is read from then on. */
  readNew(): Promise<readonly LogRecord[]>;
}

/** The log of the function, as far as it is of one version. @param since when the rotation was begun */
export function functionLog(context: Context, functionArn: string, version: string, since: Date): FunctionLog {
  const lambda = new LambdaClient(context.clientOptions);
  const logs = new CloudWatchLogsClient(context.clientOptions);
  const abortSignal = context.io.signal;
  const known = new Set<string>();
  let logGroup: string | undefined;
  let isReadable = true;

  async function findGroup(): Promise<string> {
    const command = new GetFunctionConfigurationCommand({ FunctionName: functionArn });
    const { LoggingConfig, FunctionName } = await lambda.send(command, { abortSignal });
    return LoggingConfig?.LogGroup ?? `/aws/lambda/${FunctionName}`;
  }

  async function read(logGroupName: string): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    let nextToken: string | undefined;
    do {
      // The service lets a log's event come some seconds late, so all is asked for again.
      const command = new FilterLogEventsCommand({
        logGroupName,
        startTime: since.getTime(),
        filterPattern: `"${version}"`,
        nextToken,
      });
      const page = await logs.send(command, { abortSignal });
      for (const { eventId = "", message = "", timestamp = 0 } of page.events ?? []) {
        if (known.has(eventId)) continue;
        known.add(eventId);
        const record = recordOf(message, new Date(timestamp));
        if (record) records.push(record);
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return records;
  }

  return {
    async readNew() {
      if (!isReadable) return [];
      try {
        logGroup ??= await findGroup();
        return await read(logGroup);
      } catch (error) {
        abortSignal.throwIfAborted();
        // Before a function first runs, it may have no log group.
        if (logGroup !== undefined && error instanceof Error && error.name === "ResourceNotFoundException") return [];
        isReadable = false;
        const reason = oneLine(reasonOf(error)).replace(/\.$/, "");
        context.note(`The function's log cannot be read (${reason}): only labels are shown.`);
        return [];
      }
    },
    [Symbol.dispose]() {
      lambda.destroy();
      logs.destroy();
    },
  };
}

const recordSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ level: v.string(), step: v.string(), message: v.string(), reason: v.optional(v.string()) }),
);

function recordOf(text: string, time: Date): LogRecord | undefined {
  const { success, output } = v.safeParse(recordSchema, text);
  if (!success) return undefined;
  const { level, step, message, reason } = output;
  const failure = level === "ERROR" ? { failure: oneLine(reason ?? message) } : {};
  return { time, step: oneLine(step), message: oneLine(message), ...failure };
}
