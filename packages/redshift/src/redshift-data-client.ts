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

interface Options {
  readonly abortSignal: AbortSignal;
}

/** The calls of the Data API that the transport makes; AWS_ENDPOINT_URL_REDSHIFT_DATA is read from the environment. */
export function redshiftDataClient() {
  const client = new RedshiftDataClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 3_000 } });
  return {
    batchExecuteStatement: (input: BatchExecuteStatementCommandInput, options: Options) =>
      client.send(new BatchExecuteStatementCommand(input), options),
    describeStatement: (input: DescribeStatementCommandInput, options: Options) =>
      client.send(new DescribeStatementCommand(input), options),
    getStatementResult: (input: GetStatementResultCommandInput, options: Options) =>
      client.send(new GetStatementResultCommand(input), options),
    cancelStatement: (id: string | undefined, options: Options) =>
      client.send(new CancelStatementCommand({ Id: id }), options),
  };
}

export type RedshiftData = ReturnType<typeof redshiftDataClient>;
