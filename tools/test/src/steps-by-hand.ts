import {
  CreateSecretCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type Environment, rotationHandler, type Step } from "@quarterturn/core";
import type { singleUser } from "@quarterturn/database";
import { type LocalEndpoint, type RotationEvent, startLocal } from "@quarterturn/local";
import { afterAll, beforeAll, expect } from "vitest";

type Strategy = "single-user" | "multi-user";

/** What else a step is run with. */
export interface StepOptions {
  readonly pending?: object;
  readonly strategy?: Strategy;
  readonly env?: Environment;
  /** What happens to the secret before the step. */
  before?(id: string): Promise<unknown>;
}

export interface StepsByHand {
  readonly client: () => SecretsManagerClient;
  /** The endpoint's. */
  readonly url: () => string;
  /** A new secret's ARN. */
  secretWith(value: string | Uint8Array): Promise<string>;
  /** Sends an event to the handler, which has three seconds. */
  invoke(event: unknown, strategy?: Strategy, env?: Environment): Promise<void>;
  /**
   * Runs one step of a rotation of a secret with this value and, for the later steps, a pending value. Whatever its outcome is, it must change
   * neither the secret's versions and labels nor what `untouched` gives.
   */
  step(name: Step, current: object | string | Uint8Array, options?: StepOptions): Promise<void>;
}

/**
 * Registers a local endpoint that starts rotations whose steps a test runs itself.
 *
 * @param untouched what no step may change beside the secret, e.g. the server's users with their passwords
 */
export function stepsByHand(
  rotators: Readonly<Record<Strategy, (env: Environment) => ReturnType<typeof singleUser>>>,
  untouched: () => Promise<unknown>,
): StepsByHand {
  const events: RotationEvent[] = [];
  let local: LocalEndpoint;
  let client: SecretsManagerClient;
  beforeAll(async () => {
    const byHand = async (event: RotationEvent) => {
      events.push(event);
      throw new Error("run by hand");
    };
    local = await startLocal({ functions: { byHand }, rotationRetry: { attempts: 1, delayMs: 0 } });
    client = new SecretsManagerClient({ endpoint: local.url });
  });
  afterAll(async () => {
    client.destroy();
    await local.close();
  });

  const invoke: StepsByHand["invoke"] = (event, strategy = "single-user", env = {}) => {
    const end = Date.now() + 3_000;
    const handler = rotationHandler(rotators[strategy], { SECRETS_MANAGER_ENDPOINT: local.url, ...env });
    return handler(event, { awsRequestId: "request", getRemainingTimeInMillis: () => end - Date.now() });
  };

  const secretWith: StepsByHand["secretWith"] = async (value) => {
    const content = typeof value === "string" ? { SecretString: value } : { SecretBinary: value };
    const name = `s${Math.random().toString(36).slice(2)}`;
    const { ARN = "" } = await client.send(new CreateSecretCommand({ Name: name, ...content }));
    return ARN;
  };

  async function everything(id: string): Promise<unknown> {
    const { Versions } = await client.send(new ListSecretVersionIdsCommand({ SecretId: id, IncludeDeprecated: true }));
    return [Versions?.map(({ VersionId, VersionStages }) => [VersionId, VersionStages]), await untouched()];
  }

  return {
    client: () => client,
    url: () => local.url,
    secretWith,
    invoke,
    async step(name, current, { pending, strategy, env, before } = {}) {
      const isText = typeof current === "string" || current instanceof Uint8Array;
      const id = await secretWith(isText ? current : JSON.stringify(current));
      await client.send(new RotateSecretCommand({ SecretId: id, RotationLambdaARN: local.functionArn("byHand") }));
      await local.settled(id);
      const event = events.find((each) => each.SecretId === id);
      if (pending) {
        await client.send(
          new PutSecretValueCommand({
            SecretId: id,
            ClientRequestToken: event?.ClientRequestToken ?? "",
            SecretString: JSON.stringify(pending),
            VersionStages: ["AWSPENDING"],
          }),
        );
      }
      await before?.(id);
      const was = await everything(id);
      try {
        await invoke({ ...event, Step: name }, strategy, env);
      } finally {
        expect(await everything(id)).toEqual(was);
      }
    },
  };
}
