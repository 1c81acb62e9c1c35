import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { DemoServer } from "./engine.ts";

/** One round of the application: it read the secret, logged in and did its work, or could not. Times are milliseconds since 1970. */
export interface Attempt {
  readonly startedAt: number;
  readonly endedAt: number;
  /** The version of the secret that was read, and its user. Absent where the secret could not be read. */
  readonly version?: string;
  readonly username?: string;
  /** `refused`: the server did not take the credentials. `failed`: anything else went wrong. */
  readonly outcome: "accepted" | "refused" | "failed";
  readonly reason?: string;
}

export interface Application extends AsyncDisposable {
  readonly attempts: readonly Attempt[];
}

/**
 * Starts an application that trusts AWSCURRENT blindly: it reads the secret, logs in, works and hangs up, again and again without a break and
 * without a retry. Disposing of it waits for its last round.
 */
export function startApplication(client: SecretsManagerClient, secretId: string, use: DemoServer["use"]): Application {
  const attempts: Attempt[] = [];
  let isWanted = true;
  const work = async () => {
    while (isWanted) attempts.push(await attempt(client, secretId, use));
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

async function attempt(client: SecretsManagerClient, secretId: string, use: DemoServer["use"]): Promise<Attempt> {
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
    const secret = JSON.parse(answer.SecretString ?? "") as Record<string, unknown>;
    read = { version: answer.VersionId ?? "", username: String(secret.username) };
    return ended(await use(secret));
  } catch (error) {
    return ended("failed", error instanceof Error ? error.message : String(error));
  }
}
