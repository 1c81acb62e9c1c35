import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSecretCache, isRefusedLogin, type SecretCache } from "@quarterturn/cache";
import { type LocalEndpoint, type RotationContext, type RotationEvent, startLocal } from "@quarterturn/local";
import * as v from "valibot";

const databaseSecret = v.object({ host: v.string(), port: v.number(), username: v.string(), password: v.string() });

type Handler = (event: RotationEvent, context: RotationContext) => Promise<void>;
type Strategy = "single-user" | "multi-user";

/** A Secrets Manager that rotates by the real functions, and the cache of an application. */
export interface Rotating extends AsyncDisposable {
  readonly cache: SecretCache<v.InferOutput<typeof databaseSecret>>;
  createSecret(name: string, value: object): Promise<string>;
  /** Rotates so often, one after the other, while requests are made, and reports what became of these. */
  underLoad(secretId: string, strategy: Strategy, rotations: number, request: Request): Promise<Course>;
}

/** What an application does: resolves to whether it had to log in for it. */
type Request = (number: number) => Promise<"login" | "no login">;

interface Course {
  readonly rotations: number;
  readonly requests: number;
  readonly logins: number;
  /** Calls of GetSecretValue that the cache made. */
  readonly fetches: number;
  /** What requests failed with. */
  readonly failures: readonly unknown[];
  /** Those failures that were no refused logins. */
  readonly unexpected: readonly unknown[];
  /** From the first failure of each rotation to the next success, in milliseconds; for rotations without a failure nothing. */
  readonly windowsMs: readonly number[];
}

export async function startRotating(handlers: Readonly<Record<Strategy, Handler>>): Promise<Rotating> {
  const local: LocalEndpoint = await startLocal({
    functions: handlers,
    rotationRetry: { attempts: 0, delayMs: 0 },
  });
  // The functions read it at their first event.
  process.env.SECRETS_MANAGER_ENDPOINT = local.url;
  process.env.LOG_LEVEL = "ERROR";
  const client = new SecretsManagerClient({ endpoint: local.url, region: local.region });
  let fetches = 0;
  const cache = createSecretCache({
    client,
    schema: databaseSecret,
    onEvent: ({ kind }) => {
      if (kind === "fetch") fetches++;
    },
  });

  async function rotate(SecretId: string, strategy: Strategy): Promise<void> {
    const before = local.events.length;
    const RotationLambdaARN = local.functionArn(strategy);
    await client.send(new RotateSecretCommand({ SecretId, RotationLambdaARN }));
    await local.settled(SecretId);
    const isDone = local.events.slice(before).some(({ name }) => name === "RotationSucceeded");
    if (!isDone) throw new Error(`A rotation failed: ${JSON.stringify(local.events.slice(before))}`);
  }

  return {
    cache,
    async createSecret(Name, value) {
      const { ARN = "" } = await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
      return ARN;
    },
    async underLoad(secretId, strategy, rotations, request) {
      const fetchesBefore = fetches;
      const load = startLoad(request);
      try {
        for (let i = 0; i < rotations; i++) {
          await rotate(secretId, strategy);
          // An application that did not log in between two rotations would have noticed neither.
          await load.loggedIn();
        }
      } finally {
        await load.stop();
      }
      return { rotations, fetches: fetches - fetchesBefore, ...load.seen() };
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await local.close();
    },
  };
}

const workers = 2;

function startLoad(request: Request) {
  const failures: unknown[] = [];
  const unexpected: unknown[] = [];
  const windowsMs: number[] = [];
  let [requests, logins] = [0, 0];
  let failingSince: number | undefined;
  let isOver = false;

  async function work(): Promise<void> {
    while (!isOver) {
      const began = performance.now();
      try {
        if ((await request(requests++)) === "login") logins++;
        if (failingSince !== undefined && began > failingSince) {
          windowsMs.push(performance.now() - failingSince);
          failingSince = undefined;
        }
      } catch (error) {
        failures.push(error);
        failingSince ??= began;
        if (!isRefusedLogin(error)) {
          unexpected.push(error);
          isOver = true;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const working = Promise.all(Array.from({ length: workers }, work));

  return {
    /** @throws Error where no login is accepted for too long */
    async loggedIn(): Promise<void> {
      const before = logins;
      const end = performance.now() + 20_000;
      while (logins === before && !isOver) {
        if (performance.now() > end) throw new Error("The application is locked out.", { cause: failures.at(-1) });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
    async stop(): Promise<void> {
      isOver = true;
      await working;
    },
    seen: () => ({ requests, logins, failures, unexpected, windowsMs }),
  };
}

/** For the README, and for those who run the tests with the verbose reporter. */
export function figuresOf({ rotations, requests, logins, fetches, failures, windowsMs }: Course): string {
  const longest =
    windowsMs.length === 0 ? "" : `, the longest time until the next success ${Math.round(Math.max(...windowsMs))} ms`;
  return `${rotations} rotations, ${requests} requests, ${logins} logins, ${fetches} calls of the cache, ${failures.length} requests failed${longest}`;
}

/** A hundred rotations take seconds on a machine at rest, and a minute on a busy one. */
export const timeout = 300_000;
