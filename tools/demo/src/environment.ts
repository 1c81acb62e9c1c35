import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type RotationContext, type RotationEvent, startLocal } from "@quarterturn/local";
import { type PostgresServer, startPostgres } from "@quarterturn-tools/engines";
import { escapeLiteral } from "pg";
import { type CountedEndpoint, countCalls } from "./api-calls.ts";
import type { LoginSecret } from "./application.ts";
import { loginLogSettings } from "./login-log.ts";
import { type RotationFunctionProcess, startRotationFunction } from "./rotation-function.ts";

export type Strategy = "single-user" | "multi-user";

/** Everything that a rotation needs; when it is disposed of, nothing is left. */
export interface Environment extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly endpoint: LocalEndpoint;
  /** A client of the endpoint for everybody but the rotation functions. */
  readonly client: SecretsManagerClient;
  /** The rotation functions' calls of the endpoint. */
  readonly functionCalls: CountedEndpoint;
  readonly functions: Readonly<Record<Strategy, RotationFunctionProcess>>;
  /** The application's secret. */
  readonly secretId: string;
  /** From now on, whoever looks on runs the steps. */
  watchSteps(onStep: StepWatcher): void;
}

/** Runs a step by calling `invoke`, and may look at it from outside. */
type StepWatcher = (step: RotationEvent["Step"], invoke: () => Promise<void>) => Promise<void>;

export interface EnvironmentOptions {
  /** What the admin secret says; default: the admin's password. */
  readonly adminSecretPassword?: string | undefined;
  readonly signal: AbortSignal;
}

const SECRET_ID = "prod/checkout/db";
const ADMIN_SECRET_ID = "prod/checkout/db-admin";
const MODULES: Readonly<Record<Strategy, string>> = {
  "single-user": import.meta.resolve("@quarterturn/rds-postgres/single-user"),
  "multi-user": import.meta.resolve("@quarterturn/rds-postgres/multi-user"),
};

const REGION = "us-east-1";

/** The endpoint checks no signatures, but every client wants to sign. */
const CREDENTIALS = { accessKeyId: "demo", secretAccessKey: "demo" };

export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  await using started = new AsyncDisposableStack();
  await useTemporaryFolder(started);
  const postgres = started.use(await startPostgres({ version: "18", settings: loginLogSettings }));
  options.signal.throwIfAborted();

  let runStep: StepWatcher = (_step, invoke) => invoke();
  const functions = {} as Record<Strategy, RotationFunctionProcess>;
  const registered = (strategy: Strategy) => (event: RotationEvent, context: RotationContext) =>
    runStep(event.Step, () => functions[strategy].invoke(event, context));
  const endpoint = started.use(
    await startLocal({
      region: REGION,
      functions: { "single-user": registered("single-user"), "multi-user": registered("multi-user") },
      // What fails here is to be looked at, not tried again.
      rotationRetry: { attempts: 0, delayMs: 0 },
    }),
  );
  const client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: REGION,
    credentials: CREDENTIALS,
    // Calls are counted.
    maxAttempts: 1,
  });
  started.defer(() => client.destroy());
  const functionCalls = started.use(await countCalls(endpoint.url));
  const adminSecretArn = await createSecrets(client, postgres, options.adminSecretPassword);
  options.signal.throwIfAborted();

  const variables = {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    SECRETS_MANAGER_ENDPOINT: functionCalls.url,
    NODE_EXTRA_CA_CERTS: postgres.caFile,
    SUPERUSER_SECRET_ARN: adminSecretArn,
  };
  for (const [strategy, module] of Object.entries(MODULES)) {
    functions[strategy as Strategy] = started.use(startRotationFunction(module, variables));
  }
  await Promise.all(Object.values(functions).map((each) => each.ready()));

  const owned = started.move();
  return {
    postgres,
    endpoint,
    client,
    functionCalls,
    functions,
    secretId: SECRET_ID,
    watchSteps(onStep) {
      runStep = onStep;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whatever this process or its children put into the temporary folder goes into one of the demo's own, which is removed at the end. */
async function useTemporaryFolder(started: AsyncDisposableStack): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-demo-"));
  started.defer(() => rm(folder, { recursive: true }));
  // As open as every temporary folder, since root's database server is another user's process.
  await chmod(folder, 0o1777);
  process.env.TMPDIR = folder;
}

/**
 * Creates the users, the application's database and both secrets as an administrator of RDS would. The admin may create roles and is no
 * superuser, as on RDS.
 *
 * @returns the admin secret's ARN
 */
async function createSecrets(
  client: SecretsManagerClient,
  postgres: PostgresServer,
  adminSecretPassword: string | undefined,
): Promise<string> {
  const address = { host: postgres.host, port: postgres.port };
  const admin = { username: "rds_admin", password: newPassword() };
  const login: LoginSecret = { username: "checkout", password: newPassword(), ...address, dbname: "shop" };

  const superuser = await postgres.connect();
  await superuser.query(`CREATE ROLE rds_admin LOGIN CREATEROLE PASSWORD ${escapeLiteral(admin.password)}`);
  const creator = await postgres.connect({ user: admin.username, password: admin.password });
  await creator.query(`CREATE ROLE checkout LOGIN PASSWORD ${escapeLiteral(login.password)}`);
  await creator.end();
  await superuser.query("CREATE DATABASE shop OWNER checkout");
  await superuser.end();
  const owner = await postgres.connect({ user: login.username, password: login.password, database: login.dbname });
  await owner.query("CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, placed timestamptz DEFAULT now())");
  await owner.end();

  const create = (Name: string, value: object) =>
    client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
  await create(SECRET_ID, login);
  const { ARN } = await create(ADMIN_SECRET_ID, {
    ...admin,
    ...address,
    password: adminSecretPassword ?? admin.password,
  });
  return ARN ?? ADMIN_SECRET_ID;
}

const newPassword = () => randomBytes(16).toString("base64url");
