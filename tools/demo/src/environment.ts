import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type RotationContext, type RotationEvent, startLocal } from "@quarterturn/local";
import { type CountedEndpoint, countCalls } from "./api-calls.ts";
import type { DemoEngine, DemoServer, NamedSecret, Strategy } from "./engine.ts";
import { type RotationFunctionProcess, startRotationFunction } from "./rotation-function.ts";

/** Everything that a rotation needs; when it is disposed of, nothing is left. */
export interface Environment extends AsyncDisposable {
  readonly server: DemoServer;
  readonly endpoint: LocalEndpoint;
  /** A client of the endpoint for everybody but the rotation functions. */
  readonly client: SecretsManagerClient;
  /** The rotation functions' calls of the endpoint. */
  readonly functionCalls: CountedEndpoint;
  readonly functions: ReadonlyMap<Strategy, RotationFunctionProcess>;
  /** The secret that a strategy rotates. */
  readonly secrets: Readonly<Record<Strategy, NamedSecret>>;
  /** From now on, whoever looks on runs the steps. */
  watchSteps(onStep: StepWatcher): void;
}

/** Runs a step by calling `invoke`, and may look at it from outside. */
type StepWatcher = (step: RotationEvent["Step"], invoke: () => Promise<void>) => Promise<void>;

export interface EnvironmentOptions {
  readonly engine: DemoEngine;
  /** What the admin secret says; default: the admin's password. */
  readonly adminSecretPassword?: string | undefined;
  readonly signal: AbortSignal;
}

const REGION = "us-east-1";

/** The endpoint checks no signatures, but every client wants to sign. */
const CREDENTIALS = { accessKeyId: "demo", secretAccessKey: "demo" };

export async function startEnvironment({
  engine,
  adminSecretPassword,
  signal,
}: EnvironmentOptions): Promise<Environment> {
  await using started = new AsyncDisposableStack();
  if (!engine.isFetched) await useTemporaryFolder(started);
  const server = started.use(await engine.start());
  signal.throwIfAborted();

  let runStep: StepWatcher = (_step, invoke) => invoke();
  const functions = new Map<Strategy, RotationFunctionProcess>();
  const strategies = new Set(engine.story.chapters.map(({ strategy }) => strategy));
  const registered = (strategy: Strategy) => (event: RotationEvent, context: RotationContext) =>
    runStep(event.Step, async () => functions.get(strategy)?.invoke(event, context));
  const endpoint = started.use(
    await startLocal({
      region: REGION,
      functions: Object.fromEntries([...strategies].map((strategy) => [strategy, registered(strategy)])),
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

  const create = async ({ name, value }: NamedSecret) => {
    const { ARN } = await client.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(value) }));
    return ARN ?? name;
  };
  const { password } = server.adminSecret;
  const adminSecretArn = await create({
    name: "prod/admin",
    value: { ...server.adminSecret, password: adminSecretPassword ?? password },
  });
  const secrets = server.secrets(adminSecretArn);
  for (const secret of new Set([...strategies].map((strategy) => secrets[strategy]))) await create(secret);
  signal.throwIfAborted();

  const variables = {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    SECRETS_MANAGER_ENDPOINT: functionCalls.url,
    SUPERUSER_SECRET_ARN: adminSecretArn,
    ...(server.caFile !== undefined && { NODE_EXTRA_CA_CERTS: server.caFile }),
  };
  for (const strategy of strategies) {
    functions.set(strategy, started.use(startRotationFunction(engine.handlers[strategy], variables)));
  }
  await Promise.all([...functions.values()].map((each) => each.ready()));

  const owned = started.move();
  return {
    server,
    endpoint,
    client,
    functionCalls,
    functions,
    secrets,
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
