import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ServiceError, validationFailed } from "../service-error.ts";
import type { RedshiftDataOptions } from "./endpoint.ts";
import { type Run, Statement } from "./statement.ts";
import { type SubmittingInput, submissionOf } from "./submission.ts";

/** https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations */
const ACTIVE_STATEMENTS = 500;
const KEPT_MS = 86_400_000;

/** Every statement of the last day, by id. */
export interface SubmittedStatements {
  /** The same ClientToken with the same input is the same statement. @throws ServiceError */
  submit(input: SubmittingInput): Promise<Statement>;
  /** A statement by its id, or one of a batch with the batch. @throws ValidationException or ResourceNotFoundException */
  find(id: string): { readonly statement: Statement; readonly run: Run };
  /** Cancels what still runs. */
  close(): Promise<void>;
}

interface Request {
  readonly input: SubmittingInput;
  readonly at: number;
  readonly statement: Promise<Statement>;
}

export function submittedStatements({
  secretsManager,
  warehouse,
  readsSecret,
}: RedshiftDataOptions): SubmittedStatements {
  const requests = new Map<string, Request>();
  const statements = new Map<string, Statement>();
  const active = () => [...statements.values()].filter(({ isActive }) => isActive);

  async function begin(input: SubmittingInput): Promise<Statement> {
    const submission = await submissionOf(input, secretsManager, readsSecret);
    if (active().length >= ACTIVE_STATEMENTS) {
      throw new ServiceError(
        "ActiveStatementsExceededException",
        `Active statements exceeded the allowed quota (${ACTIVE_STATEMENTS}).`,
      );
    }
    const statement = new Statement(submission, warehouse);
    statements.set(statement.whole.id, statement);
    return statement;
  }

  function dropOld(): void {
    const oldest = Date.now() - KEPT_MS;
    for (const [token, { at }] of requests) if (at < oldest) requests.delete(token);
    for (const [id, { whole }] of statements) if (whole.createdAt < oldest) statements.delete(id);
  }

  return {
    async submit(input) {
      dropOld();
      const token = input.ClientToken ?? randomUUID();
      const earlier = requests.get(token);
      if (earlier !== undefined && !isDeepStrictEqual(earlier.input, input)) {
        throw validationFailed("The ClientToken was used for another request.");
      }
      const request = earlier ?? { input, at: Date.now(), statement: begin(input) };
      requests.set(token, request);
      try {
        return await request.statement;
      } catch (error) {
        // What was refused may be asked for again.
        requests.delete(token);
        throw error;
      }
    },

    find(id) {
      if (!ID.test(id)) throw validationFailed(`id must satisfy regex pattern: ${ID.source}`);
      const statement = statements.get(id.replace(/:\d+$/, ""));
      const run = [statement?.whole, ...(statement?.parts ?? [])].find((each) => each?.id === id);
      if (statement === undefined || run === undefined) throw statementNotFound("Query does not exist.", id);
      return { statement, run };
    },

    async close() {
      await Promise.all(active().map((statement) => statement.cancel()));
    },
  };
}

export const statementNotFound = (message: string, id: string) =>
  new ServiceError("ResourceNotFoundException", message, 400, { ResourceId: id });

const ID = /^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?$/;
