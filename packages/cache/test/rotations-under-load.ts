import { setTimeout } from "node:timers/promises";
import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSecretCache, isRefusedLogin, type SecretCache } from "@quarterturn/cache";
import { type LocalEndpoint, type RotationContext, type RotationEvent, startLocal } from "@quarterturn/local";
import { type DatabaseSecret, databaseSecret } from "../examples/database-secret.ts";

type Handler = (event: RotationEvent, context: RotationContext) => Promise<void>;
type Strategy = "single-user" | "multi-user";

/** A Secrets Manager that rotates by the real functions, and the cache of an application. */
export interface Rotating extends AsyncDisposable {
  readonly url: string;
  readonly cache: SecretCache<DatabaseSecret>;
  createSecret(name: string, value: object): Promise<string>;
  /** Rotates so often, one after the other, while requests are made, and reports what became of these. */
  underLoad(secretId: string, strategy: Strategy, rotations: number, request: Request): Promise<Course>;
}

/** What an application does. */
type Request = () => Promise<{
  /** Whether it had to log in for it. */
  readonly isLogin: boolean;
  /** If it was the last one on its connection, a next one logs in. */
  end(isLast: boolean): void | Promise<void>;
}>;

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
    url: local.url,
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
          await load.hasNoticed();
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

function startLoad(request: Request) {
  const failures: unknown[] = [];
  const unexpected: unknown[] = [];
  const windowsMs: number[] = [];
  let [requests, logins] = [0, 0];
  let failingSince: number | undefined;
  let isOver = false;
  /** The number of logins after which those who wait for one have seen it: until then every request is the last one on its connection. */
  let awaited = 0;
  let rotated = Promise.withResolvers<void>();

  /** @returns when the last request began that is over */
  function startWorker(): { readonly working: Promise<void>; readonly doneSince: () => number } {
    let doneSince = 0;
    const work = async () => {
      while (!isOver) {
        const began = performance.now();
        try {
          const number = ++requests;
          const { isLogin, end } = await request();
          if (isLogin) logins++;
          if (failingSince !== undefined && began > failingSince) {
            windowsMs.push(performance.now() - failingSince);
            failingSince = undefined;
          }
          await end(number % 25 === 0 || logins < awaited);
        } catch (error) {
          failures.push(error);
          failingSince ??= began;
          if (!isRefusedLogin(error)) {
            unexpected.push(error);
            isOver = true;
          }
        }
        doneSince = began;
        await Promise.race([setTimeout(logins < awaited ? 1 : 50), rotated.promise]);
      }
    };
    return { working: work(), doneSince: () => doneSince };
  }
  const workers = [startWorker(), startWorker()];

  return {
    /**
     * Resolves when a login was accepted and no request is under way that began before now: with rotations every four hours none lives through
     * two of them, which is more than trying once more can help.
     *
     * @throws Error where that takes too long
     */
    async hasNoticed(): Promise<void> {
      const called = performance.now();
      awaited = logins + 1;
      rotated.resolve();
      rotated = Promise.withResolvers();
      const hasNoticed = () => logins >= awaited && workers.every(({ doneSince }) => doneSince() > called);
      while (!hasNoticed() && !isOver) {
        if (performance.now() > called + 20_000)
          throw new Error("The application is locked out.", { cause: failures.at(-1) });
        await setTimeout(5);
      }
    },
    async stop(): Promise<void> {
      isOver = true;
      await Promise.all(workers.map(({ working }) => working));
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
