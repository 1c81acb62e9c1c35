import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type LocalEvent, type RotationEvent, startLocal } from "@quarterturn/local";
import type { BenchEngine, BenchServer } from "./engine.ts";
import { type EngineName, engineNamed } from "./engines.ts";
import type { BenchFunction, StepCost } from "./function.ts";
import type { Strategy } from "./row.ts";

/** A user of the server, and the secret that an application reads. */
export interface Account {
  readonly username: string;
  readonly secretId: string;
}

/** A server and Secrets Manager on this machine. */
export interface World extends AsyncDisposable {
  readonly name: EngineName;
  readonly engine: BenchEngine;
  readonly server: BenchServer;
  readonly endpoint: LocalEndpoint;
  /** What a function needs to reach both. */
  readonly env: Readonly<Record<string, string>>;
  createAccount(username: string, strategy: Strategy): Promise<Account>;
  /** Rotates by the service, without a retry. @returns the steps in order. @throws Error where the rotation fails */
  rotate(account: Account, by: BenchFunction): Promise<readonly (StepCost & { readonly step: string })[]>;
}

export async function startWorld(name: EngineName): Promise<World> {
  const engine = await engineNamed(name);
  let invoke = async (_event: RotationEvent): Promise<void> => {
    throw new Error("No function is being measured.");
  };
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await engine.start());
  const endpoint = starting.use(
    await startLocal({
      functions: { rotation: (event) => invoke(event) },
      rotationRetry: { attempts: 0, delayMs: 0 },
    }),
  );
  const { url, region } = endpoint;
  const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
  const client = starting.adopt(new SecretsManagerClient({ endpoint: url, region, credentials }), (each) =>
    each.destroy(),
  );

  async function createSecret(Name: string, value: object): Promise<string> {
    const { ARN = "" } = await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
    return ARN;
  }
  const masterarn = await createSecret("admin", server.adminSecret);
  const running = starting.move();

  return {
    name,
    engine,
    server,
    endpoint,
    env: {
      SECRETS_MANAGER_ENDPOINT: url,
      ...(server.caFile !== undefined && { NODE_EXTRA_CA_CERTS: server.caFile }),
    },

    async createAccount(username, strategy) {
      const value = await server.createAccount(username, strategy);
      const secret = strategy === "multi-user" ? { ...value, masterarn } : value;
      return { username, secretId: await createSecret(username, secret) };
    },

    async rotate({ secretId }, by) {
      const steps: (StepCost & { step: string })[] = [];
      invoke = async (event) => {
        steps.push({ step: event.Step, ...(await by.invoke(event)) });
      };
      let outcome: LocalEvent | undefined;
      const stopListening = endpoint.onEvent((event) => {
        if (event.kind === "rotation") outcome = event;
      });
      await client.send(
        new RotateSecretCommand({ SecretId: secretId, RotationLambdaARN: endpoint.functionArn("rotation") }),
      );
      await endpoint.settled(secretId);
      stopListening();
      if (outcome?.name !== "RotationSucceeded") {
        throw new Error(`A rotation of ${secretId} did not succeed: ${JSON.stringify(outcome)}`);
      }
      return steps;
    },

    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
