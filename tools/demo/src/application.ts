import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Client, DatabaseError } from "pg";

/** The secret's value as people write it by hand. */
export interface LoginSecret {
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
}

/** One round of the application: it read the secret, logged in and placed an order, or could not. Times are milliseconds since 1970. */
export interface Attempt {
  readonly startedAt: number;
  readonly endedAt: number;
  /** The version of the secret that was read, and its user. Absent where the secret could not be read. */
  readonly version?: string;
  readonly username?: string;
  /** `refused`: the server did not take the password. `failed`: anything else went wrong. */
  readonly outcome: "accepted" | "refused" | "failed";
  readonly reason?: string;
}

export interface Application extends AsyncDisposable {
  readonly attempts: readonly Attempt[];
}

/** The name under which its connections appear in the server's log. */
export const APPLICATION_NAME = "checkout";

/** SQLSTATE invalid_password */
const REFUSED = "28P01";

/**
 * Starts an application that trusts AWSCURRENT blindly: it reads the secret, logs in over verified TLS, places an order and hangs up, again
 * and again without a break and without a retry. Disposing of it waits for its last round.
 *
 * @param ca the authority that the server's certificate must come from
 */
export function startApplication(client: SecretsManagerClient, secretId: string, ca: string): Application {
  const attempts: Attempt[] = [];
  let isWanted = true;
  const work = async () => {
    while (isWanted) attempts.push(await attempt(client, secretId, ca));
  };
  const done = work();
  return {
    attempts,
    async [Symbol.asyncDispose]() {
      isWanted = false;
      await done;
    },
  };
}

async function attempt(client: SecretsManagerClient, secretId: string, ca: string): Promise<Attempt> {
  const startedAt = Date.now();
  let read: Pick<Attempt, "version" | "username"> = {};
  const ended = (outcome: Attempt["outcome"], reason?: string): Attempt => ({
    startedAt,
    endedAt: Date.now(),
    ...read,
    outcome,
    ...(reason !== undefined && { reason }),
  });
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage: "AWSCURRENT" }));
    const secret = JSON.parse(answer.SecretString ?? "") as LoginSecret;
    read = { version: answer.VersionId ?? "", username: secret.username };
    await placeOrder(secret, ca);
    return ended("accepted");
  } catch (error) {
    const isRefused = error instanceof DatabaseError && error.code === REFUSED;
    return ended(isRefused ? "refused" : "failed", error instanceof Error ? error.message : String(error));
  }
}

async function placeOrder({ username, password, host, port, dbname }: LoginSecret, ca: string): Promise<void> {
  const database = new Client({
    host,
    port,
    user: username,
    password,
    database: dbname,
    ssl: { ca },
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  // A connection that breaks makes its query fail, which is where it is reported.
  database.on("error", () => undefined);
  await database.connect();
  try {
    await database.query("INSERT INTO orders DEFAULT VALUES");
  } finally {
    await database.end();
  }
}
