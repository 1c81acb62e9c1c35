import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type RotationEvent, startLocal } from "@quarterturn/local";
import type { LambdaProcess } from "../src/index.ts";

/** The object in a secret's JSON text. */
export type Secret = Readonly<Record<string, unknown>>;

/** Secrets Manager, which invokes one deployed function. */
export interface SecretsManager extends AsyncDisposable {
  readonly url: string;
  /** The process that is invoked from now on. */
  use(lambda: LambdaProcess): void;
  /** Stores a secret. @returns its ARN */
  create(name: string, value: Secret): Promise<string>;
  /** Rotates once, without a retry. @returns what a failed step said, or undefined */
  rotate(secretId: string): Promise<string | undefined>;
  current(secretId: string): Promise<Secret>;
}

export async function startSecretsManager(): Promise<SecretsManager> {
  let invoked: LambdaProcess | undefined;
  const handler = async (event: RotationEvent) => {
    if (!invoked) throw new Error("No function was deployed.");
    await invoked.invoke(event);
  };
  const endpoint = await startLocal({
    functions: { rotation: handler },
    rotationRetry: { attempts: 0, delayMs: 0 },
  });
  const client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });

  return {
    url: endpoint.url,
    use(lambda) {
      invoked = lambda;
    },
    async create(Name, value) {
      const { ARN = "" } = await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
      return ARN;
    },
    async rotate(secretId) {
      const before = endpoint.events.length;
      await client.send(
        new RotateSecretCommand({ SecretId: secretId, RotationLambdaARN: endpoint.functionArn("rotation") }),
      );
      await endpoint.settled(secretId);
      const course = endpoint.events.slice(before).filter((event) => event.kind === "rotation");
      const last = course.at(-1);
      if (last?.name !== "RotationSucceeded" && last?.name !== "RotationFailed") {
        throw new Error(`The rotation did not end: ${last?.name}`);
      }
      return last.message;
    },
    async current(secretId) {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      return JSON.parse(SecretString ?? "") as Secret;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await endpoint.close();
    },
  };
}
