import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { oneLine, reasonOf, steps } from "@quarterturn/core";
import * as v from "valibot";
import type { Context } from "./context.ts";

/** What a rotation function of this project says in its log. Lines of other functions are not shown: nobody knows what secrets are in them. */
export interface LogRecord {
  readonly time: Date;
  readonly step: string;
  readonly message: string;
  /** Why the step failed; null where the record is not of a failure. */
  readonly failure: string | null;
}

export interface FunctionLog extends Disposable {
  /** The log group's name, once it is known. */
  readonly group: string | undefined;
  /** What was not read before. What the log cannot be read for is noted once, and nothing is read from then on. */
  readNew(): Promise<readonly LogRecord[]>;
}

/** How far this machine's clock may be ahead of the service's, which takes signatures that are five minutes off, and the SDK corrects more. */
const CLOCK_MS = 15 * 60_000;

/**
 * The log of the function, as far as it is of one version.
 *
 * @param functionArn absent where a service of AWS rotates the secret itself: then nothing is read
 * @param since when the rotation was begun
 */
export function functionLog(
  context: Context,
  functionArn: string | undefined,
  version: string,
  since: Date,
): FunctionLog {
  const lambda = new LambdaClient(context.clientOptions);
  const logs = new CloudWatchLogsClient(context.clientOptions);
  const abortSignal = context.io.signal;
  const known = new Set<string>();
  const recordSchema = recordSchemaOf(version);
  let logGroup: string | undefined;
  let isReadable = functionArn !== undefined;

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
        startTime: since.getTime() - CLOCK_MS,
        filterPattern: `"${version}"`,
        nextToken,
      });
      const page = await logs.send(command, { abortSignal });
      for (const { eventId = "", message = "", timestamp = 0 } of page.events ?? []) {
        if (known.has(eventId)) continue;
        known.add(eventId);
        const { success, output } = v.safeParse(recordSchema, message);
        if (success) records.push(recordOf(output, new Date(timestamp)));
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return records;
  }

  return {
    get group() {
      return logGroup;
    },
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

/** A line that the core of this project has written, and redacted. */
const recordSchemaOf = (version: string) =>
  v.pipe(
    v.string(),
    v.parseJson(),
    v.object({
      logger: v.literal("quarterturn"),
      level: v.string(),
      step: v.picklist(steps),
      version: v.literal(version),
      message: v.string(),
      reason: v.optional(v.string()),
    }),
  );

type Line = v.InferOutput<ReturnType<typeof recordSchemaOf>>;

function recordOf({ level, step, message, reason = message }: Line, time: Date): LogRecord {
  // Which step and secret it is, is said already.
  const failure = level === "ERROR" ? oneLine(reason).replace(/^\w+ of \S+: /, "") : null;
  return { time, step, message: oneLine(message), failure };
}
