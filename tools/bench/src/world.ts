import { randomBytes } from "node:crypto";
import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type LocalEvent, type RotationEvent, startLocal } from "@quarterturn/local";
import { type PostgresServer, startPostgres } from "@quarterturn-tools/engines";
import type { Client } from "pg";
import type { BenchFunction, StepCost } from "./function.ts";

/** A user of the database, and the secret that an application reads. */
export interface Account {
  readonly username: string;
  readonly secretId: string;
}

/** PostgreSQL and Secrets Manager on this machine. */
export interface World extends AsyncDisposable {
  readonly server: PostgresServer;
  readonly endpoint: LocalEndpoint;
  readonly admin: Client;
  /** What a function needs to reach both. */
  readonly env: Readonly<Record<string, string>>;
  createAccount(username: string): Promise<Account>;
  /** Rotates by the service, without a retry. @returns the steps in order. @throws Error where the rotation fails */
  rotate(account: Account, by: BenchFunction): Promise<readonly (StepCost & { readonly step: string })[]>;
}

export async function startWorld(): Promise<World> {
  let invoke = async (_event: RotationEvent): Promise<void> => {
    throw new Error("No function is being measured.");
  };
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startPostgres({ settings: { log_connections: "on" } }));
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
  const admin = await server.connect();

  async function createSecret(name: string, value: object): Promise<string> {
    const { ARN = "" } = await client.send(
      new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value) }),
    );
    return ARN;
  }
  const at = { host: server.host, port: server.port };
  const masterarn = await createSecret("admin", { ...server.admin, ...at });
  const running = starting.move();

  return {
    server,
    endpoint,
    admin,
    env: { SECRETS_MANAGER_ENDPOINT: url, NODE_EXTRA_CA_CERTS: server.caFile },

    async createAccount(username) {
      const password = randomBytes(16).toString("hex");
      await admin.query(`CREATE ROLE ${username} LOGIN PASSWORD '${password}'`);
      return { username, secretId: await createSecret(username, { username, password, ...at, masterarn }) };
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
