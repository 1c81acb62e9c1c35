import * as v from "valibot";
import { listOf, text, wholeNumber } from "../constraints.ts";

/*
 * The members of the operations' input that this endpoint looks at, with the limits of the service's API model
 * (https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Operations.html).
 */

const optional = v.optional;

/** "The maximum value is 30 seconds." */
const waitTimeSeconds = optional(wholeNumber(0, 30));

const onWhatAndAsWhom = {
  ClusterIdentifier: optional(v.string()),
  WorkgroupName: optional(text(3, 128, /^(([a-z0-9-]+)|(arn:(aws(-[a-z]+)*):redshift-serverless:.*:workgroup\/.*))$/)),
  Database: optional(v.string()),
  SecretArn: optional(v.string()),
  SessionId: optional(v.string()),
  SessionKeepAliveSeconds: optional(wholeNumber(0, 86_400)),
  StatementName: optional(text(0, 500)),
  ClientToken: optional(text(1, 64)),
  Parameters: optional(
    listOf(v.object({ name: text(0, Number.POSITIVE_INFINITY, /^[0-9a-zA-Z_]+$/), value: text(1, 100_000) }), 1, 100),
  ),
  WaitTimeSeconds: waitTimeSeconds,
};

export const inputSchemas = {
  ExecuteStatement: v.object({ ...onWhatAndAsWhom, Sql: v.string() }),
  BatchExecuteStatement: v.object({ ...onWhatAndAsWhom, Sqls: listOf(v.string(), 1, 40) }),
  DescribeStatement: v.object({ Id: v.string(), WaitTimeSeconds: waitTimeSeconds }),
  GetStatementResult: v.object({
    Id: v.string(),
    NextToken: optional(v.string()),
    WaitTimeSeconds: waitTimeSeconds,
  }),
  CancelStatement: v.object({ Id: v.string() }),
} as const;

export type OperationName = keyof typeof inputSchemas;

export type Input<Operation extends OperationName> = v.InferOutput<(typeof inputSchemas)[Operation]>;
