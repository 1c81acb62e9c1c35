import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type RotationEvent, startLocal } from "@quarterturn/local";
import { type PostgresServer, startPostgres } from "@quarterturn-tools/engines";
import type { LambdaProcess } from "../src/index.ts";

/** PostgreSQL, Secrets Manager and one deployed function. */
export interface RotationWorld extends AsyncDisposable {
  readonly server: PostgresServer;
  readonly endpoint: LocalEndpoint;
  /** What the function's environment needs to reach both. */
  readonly env: Readonly<Record<string, string>>;
  /** The process that the service invokes from now on. */
  use(lambda: LambdaProcess): void;
  /** Stores a secret. @returns its ARN */
  createSecret(name: string, value: object): Promise<string>;
  /** Creates a user and stores its credentials, beside `more`. @returns the secret's ARN */
  createUser(username: string, more?: object): Promise<string>;
  /** Rotates once, without a retry. @returns what a failed step said, or undefined */
  rotate(secretId: string): Promise<string | undefined>;
  current(secretId: string): Promise<{ readonly username: string; readonly password: string }>;
  /** Whether these credentials log in, over verified TLS. */
  logsIn(credentials: { readonly username: string; readonly password: string }): Promise<boolean>;
}

export async function rotationWorld(): Promise<RotationWorld> {
  let invoked: LambdaProcess | undefined;
  const handler = async (event: RotationEvent) => {
    if (!invoked) throw new Error("No function was deployed.");
    await invoked.invoke(event);
  };
  const server = await startPostgres();
  const endpoint = await startLocal({
    functions: { rotation: handler },
    rotationRetry: { attempts: 0, delayMs: 0 },
  });
  const client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const admin = await server.connect();

  async function createSecret(name: string, value: object): Promise<string> {
    const created = await client.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value) }));
    return created.ARN ?? "";
  }

  return {
    server,
    endpoint,
    env: { SECRETS_MANAGER_ENDPOINT: endpoint.url, NODE_EXTRA_CA_CERTS: server.caFile },
    use(lambda) {
      invoked = lambda;
    },
    createSecret,
    async createUser(username, more = {}) {
      const password = "as-created";
      await admin.query(`CREATE ROLE ${username} LOGIN PASSWORD '${password}'`);
      return createSecret(username, { username, password, host: server.host, port: server.port, ...more });
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
      return JSON.parse(SecretString ?? "") as { username: string; password: string };
    },
    async logsIn({ username, password }) {
      try {
        await (await server.connect({ user: username, password })).end();
        return true;
      } catch (error) {
        if ((error as { code?: string }).code === "28P01") return false;
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await endpoint.close();
      await server.close();
    },
  };
}
