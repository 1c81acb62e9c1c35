/** Loaded where the Data API is used, and bundled as a file of its own, since who goes by wire never needs it. */
import {
  BatchExecuteStatementCommand,
  type BatchExecuteStatementCommandInput,
  CancelStatementCommand,
  DescribeStatementCommand,
  type DescribeStatementCommandInput,
  GetStatementResultCommand,
  type GetStatementResultCommandInput,
  RedshiftDataClient,
} from "@aws-sdk/client-redshift-data";

/** How long a call may take: with all its retries, and each of them. */
export interface Sending {
  readonly abortSignal: AbortSignal;
  /** Milliseconds. */
  readonly requestTimeout: number;
}

/** The calls of the Data API that the transport makes; AWS_ENDPOINT_URL_REDSHIFT_DATA is read from the environment. */
export function redshiftDataClient() {
  const client = new RedshiftDataClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, throwOnRequestTimeout: true },
  });
  return {
    region: () => client.config.region(),
    batchExecuteStatement: (input: BatchExecuteStatementCommandInput, options: Sending) =>
      client.send(new BatchExecuteStatementCommand(input), options),
    describeStatement: (input: DescribeStatementCommandInput, options: Sending) =>
      client.send(new DescribeStatementCommand(input), options),
    getStatementResult: (input: GetStatementResultCommandInput, options: Sending) =>
      client.send(new GetStatementResultCommand(input), options),
    cancelStatement: (id: string | undefined, options: Sending) =>
      client.send(new CancelStatementCommand({ Id: id }), options),
  };
}

export type RedshiftData = ReturnType<typeof redshiftDataClient>;
