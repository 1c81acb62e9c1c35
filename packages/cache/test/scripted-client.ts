import type {
  GetSecretValueCommand,
  GetSecretValueCommandOutput,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";

/** One call of GetSecretValue that waits for the test's answer. */
export interface Call {
  readonly secretId: string | undefined;
  readonly versionStage: string | undefined;
  /** Answers with a version; its SecretString is the value as JSON, unless the test says something else. */
  answer(
    versionId: string | undefined,
    value?: object | string | number,
    more?: Partial<GetSecretValueCommandOutput>,
  ): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A Secrets Manager whose answers a test gives by hand, in any order. */
export function scriptedClient(): {
  readonly client: Pick<SecretsManagerClient, "send">;
  readonly calls: readonly Call[];
} {
  const calls: Call[] = [];
  const send = (command: GetSecretValueCommand) =>
    new Promise((resolve, reject) => {
      const { SecretId, VersionStage } = command.input;
      calls.push({
        secretId: SecretId,
        versionStage: VersionStage,
        answer: (VersionId, value = {}, more = { SecretString: JSON.stringify(value) }) => {
          resolve({ VersionId, ...more });
          return reactions();
        },
        fail: (error) => {
          reject(error);
          return reactions();
        },
      });
    });
  return { client: { send: send as SecretsManagerClient["send"] }, calls };
}

/** When everything that was waiting for an answer has had it. */
export async function reactions(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
