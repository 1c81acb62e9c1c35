import { httpServer, listenOnLoopback, type Protocol } from "../http-server.ts";
import { readInput } from "../request-body.ts";
import { unknownOperation, validationFailed } from "../service-error.ts";
import { descriptionOf, hasResultSet, pageOf, submissionAnswerOf } from "./answers.ts";
import { type Input, inputSchemas, type OperationName } from "./input.ts";
import type { SubmittingInput } from "./submission.ts";
import { type SubmittedStatements, statementNotFound, submittedStatements } from "./submitted-statements.ts";
import type { Warehouse } from "./warehouse.ts";

export interface RedshiftDataOptions {
  /** The URL of the Secrets Manager endpoint that has the secrets, e.g. startLocal's. */
  secretsManager: string;
  /** Runs the SQL. */
  warehouse: Warehouse;
  /** When a statement's secret is read, which the service does not publish: when it is submitted, if absent, or when it starts. */
  readsSecret?: "at-submission" | "at-start";
  /** 0 or absent: any free port. It always listens on 127.0.0.1. */
  port?: number;
}

/** A running endpoint. */
export interface RedshiftDataEndpoint extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** Idempotent. Statements that run are cancelled. */
  close(): Promise<void>;
}

const PROTOCOL: Protocol = {
  service: "the Redshift Data API",
  targetPrefix: "RedshiftData.",
  internalError: "InternalServerException",
  errorsInLowerCase: new Set(["AccessDeniedException", "SerializationException", "UnknownOperationException"]),
};

/**
 * Starts an endpoint that speaks the Redshift Data API's protocol on 127.0.0.1, for callers that give a secret.
 * @throws if the port is taken
 */
export async function startRedshiftData(options: RedshiftDataOptions): Promise<RedshiftDataEndpoint> {
  const statements = submittedStatements(options);
  const operations = operationsOn(statements);
  const server = httpServer(PROTOCOL, async (name, body) => {
    if (!Object.hasOwn(operations, name)) throw unknownOperation();
    return perform(operations, name as OperationName, body);
  });
  const listening = await listenOnLoopback(server, options.port);

  async function close(): Promise<void> {
    await listening.close();
    await statements.close();
  }

  return { url: listening.url, close, [Symbol.asyncDispose]: close };
}

type Operations = { [Name in OperationName]: (input: Input<Name>) => Promise<object> };

/** The service does not publish how it cuts results into pages. */
const ROWS_ON_A_PAGE = 1_000;

function operationsOn(statements: SubmittedStatements): Operations {
  async function submit(input: SubmittingInput): Promise<object> {
    const statement = await statements.submit(input);
    await statement.wait(input.WaitTimeSeconds);
    return submissionAnswerOf(statement);
  }

  return {
    ExecuteStatement: submit,
    BatchExecuteStatement: submit,

    async DescribeStatement({ Id: id, WaitTimeSeconds: seconds }) {
      const { statement } = statements.find(id);
      await statement.wait(seconds);
      return descriptionOf(statement);
    },

    async GetStatementResult({ Id: id, NextToken: token = "0", WaitTimeSeconds: seconds }) {
      const { statement, run } = statements.find(id);
      await statement.wait(seconds);
      if (run.result === undefined || !hasResultSet(run) || statement.whole.status !== "FINISHED") {
        throw statementNotFound("Query does not have result. Please check query status with DescribeStatement.", id);
      }
      if (!/^\d{1,9}$/.test(token)) throw validationFailed("The NextToken is not one that this operation returned.");
      return pageOf(run.result, Number(token), ROWS_ON_A_PAGE);
    },

    async CancelStatement({ Id: id }) {
      await statements.find(id).statement.cancel();
      return { Status: true };
    },
  };
}

function perform<Name extends OperationName>(operations: Operations, name: Name, body: Uint8Array): Promise<object> {
  return operations[name](readInput(inputSchemas[name], body) as Input<Name>);
}
