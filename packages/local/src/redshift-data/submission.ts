import { validationFailed } from "../service-error.ts";
import type { RedshiftDataOptions } from "./endpoint.ts";
import type { Input } from "./input.ts";
import { bind } from "./parameters.ts";
import { readSecret } from "./secret.ts";
import type { Submission } from "./statement.ts";

export type SubmittingInput = Input<"ExecuteStatement"> | Input<"BatchExecuteStatement">;

/** https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations */
const STATEMENT_LIMIT_BYTES = 102_400;

/**
 * What a request asks for.
 * @throws ValidationException
 */
export async function submissionOf(
  input: SubmittingInput,
  secretsManager: string,
  readsSecret: RedshiftDataOptions["readsSecret"] = "at-submission",
): Promise<Submission> {
  const { ClusterIdentifier: clusterIdentifier, WorkgroupName: workgroupName, Database: database } = input;
  if (input.SessionId !== undefined || input.SessionKeepAliveSeconds !== undefined) {
    throw validationFailed("This endpoint keeps no sessions: leave out SessionId and SessionKeepAliveSeconds.");
  }
  if (clusterIdentifier === undefined && workgroupName === undefined) {
    throw validationFailed("Either ClusterIdentifier, WorkgroupName or SessionId must be provided.");
  }
  if (clusterIdentifier !== undefined && workgroupName !== undefined) {
    throw validationFailed("ClusterIdentifier and WorkgroupName can't both be provided.");
  }
  if (database === undefined) throw validationFailed("Database must be provided.");
  const { SecretArn: secretArn } = input;
  if (secretArn === undefined) {
    throw validationFailed("This endpoint knows no temporary credentials: provide SecretArn.");
  }
  const isBatch = "Sqls" in input;
  const statements = isBatch ? input.Sqls : [input.Sql];
  if (statements.some((sql) => Buffer.byteLength(sql) > STATEMENT_LIMIT_BYTES)) {
    throw validationFailed(`A SQL statement can have ${STATEMENT_LIMIT_BYTES} bytes at most.`);
  }
  const parameters = input.Parameters ?? [];
  const bound = bind(statements, parameters);
  const at = {
    ...(clusterIdentifier !== undefined && { clusterIdentifier }),
    ...(workgroupName !== undefined && { workgroupName }),
    database,
  };
  const login = async () => {
    const { username, password, dbClusterIdentifier } = await readSecret(secretsManager, secretArn);
    if (
      dbClusterIdentifier !== undefined &&
      clusterIdentifier !== undefined &&
      dbClusterIdentifier !== clusterIdentifier
    ) {
      throw validationFailed("The ClusterIdentifier isn't the secret's dbClusterIdentifier.");
    }
    return { ...at, username, password };
  };
  const early = readsSecret === "at-submission" ? await login() : undefined;
  return {
    at,
    login: async () => early ?? login(),
    secretArn,
    statements,
    bound,
    parameters,
    isBatch,
  };
}
