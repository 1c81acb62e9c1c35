import { inspect } from "node:util";
import { isPromise } from "node:util/types";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { boundedMap } from "./bounded-map.ts";
import { CachedSecret, type Fetched } from "./cached-secret.ts";
import { SecretCacheError, type SecretName } from "./errors.ts";
import type { SecretCacheEvent } from "./events.ts";
import type { PauseLimits } from "./pause.ts";
import { type SecretFormat, secretValue } from "./secret-value.ts";
import { serviceError, timeoutError } from "./service-error.ts";

export interface SecretCacheOptions<Value> {
  /** What a value must be, and its type: any Standard Schema (Valibot, Zod, ArkType). */
  readonly schema: StandardSchemaV1<unknown, Value>;
  /** How the secrets are written. Default: `json`. */
  readonly format?: SecretFormat;
  /** Default: a new one, configured by the environment. */
  readonly client?: Pick<SecretsManagerClient, "send">;
  /** The staging label of the versions that `get` gives if it asks for no other. Default: `AWSCURRENT`. */
  readonly versionStage?: string;
  /**
   * How old a value may be before `get` waits for another, in milliseconds. It is fetched anew in the background when it is asked for at
   * 70 to 90 % of that age, drawn anew for each. Default: 300,000, five minutes.
   */
  readonly ttlMs?: number;
  /** How old a value may be that is served where calls fail, in milliseconds. Default: 86,400,000, a day. */
  readonly staleLimitMs?: number;
  /**
   * How long after a call that failed `get` may make the next one, in milliseconds: at first, then doubled each time up to the longest.
   * Default: 100 and 60,000.
   */
  readonly retryMs?: PauseLimits;
  /**
   * The rate limit of `refreshNow`: how long after a call of its own that was in vain, since it failed or found nothing new, it may make
   * the next one, in milliseconds and doubled likewise. Default: 100 and 5,000.
   */
  readonly refreshMs?: PauseLimits;
  /** How long a call may take, the fetching of credentials, the SDK's own retries and the schema's check included, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
  /** How many secrets are held; the one that was least recently asked for makes way. Default: 1024. */
  readonly maxSecrets?: number;
  /** Hears what the cache does, for metrics. The first thing that it throws, or rejects with, becomes a warning of the process. */
  readonly onEvent?: (event: SecretCacheEvent) => void;
}

export interface GetOptions {
  /** Ends this caller's waiting, with the signal's reason; others go on waiting for the same call. */
  readonly signal?: AbortSignal;
  /** Default: the cache's. */
  readonly versionStage?: string;
}

export interface RefreshOptions<Value> extends GetOptions {
  /** The value that did not work. Where the cache holds another one already, that is given, and nothing is called. */
  readonly refused?: Value;
}

export interface SecretCache<Value> {
  /**
   * The secret's value. The same version gives the same, frozen object each time (bytes: a copy each time).
   *
   * @param secretId the secret's name or ARN; a secret that is asked for by both is held twice
   * @throws SecretCacheError where there is none, and none that may still be served
   */
  get(secretId: string, options?: GetOptions): Promise<Value>;
  /**
   * The secret's value by a call that begins now, for a login that was refused. One call serves all who ask meanwhile; where the last ones
   * found nothing new, the value that is held is given until `refreshMs` has passed or its TTL is over.
   *
   * @throws SecretCacheError where the call fails, or one of refreshNow failed less than `refreshMs` ago
   */
  refreshNow(secretId: string, options?: RefreshOptions<Value>): Promise<Value>;
}

/**
 * An in-memory cache of Secrets Manager's secrets. It has no timer but the limit of a call, which keeps no process alive; it needs no closing.
 *
 * @throws RangeError for a number that is not positive and whole, or a stale limit below the TTL
 */
export function createSecretCache<Value>(options: SecretCacheOptions<Value>): SecretCache<Value> {
  const { schema, format = "json", client = new SecretsManagerClient(), versionStage = "AWSCURRENT" } = options;
  const {
    ttlMs = 300_000,
    staleLimitMs = Math.max(86_400_000, ttlMs),
    timeoutMs = 10_000,
    maxSecrets = 1024,
  } = options;
  const { retryMs: retry = { first: 100, longest: 60_000 }, refreshMs: refresh = { first: 100, longest: 5_000 } } =
    options;
  const limits = { ttlMs, staleLimitMs, retry, refresh };
  requirePositive({ ttlMs, staleLimitMs, timeoutMs, maxSecrets });
  requirePositive({ "retryMs.first": retry.first, "retryMs.longest": retry.longest });
  requirePositive({ "refreshMs.first": refresh.first, "refreshMs.longest": refresh.longest });
  if (timeoutMs > LONGEST_TIMER_MS)
    throw new RangeError(
      `timeoutMs must be at most ${LONGEST_TIMER_MS}, the longest time of a timer, not ${timeoutMs}`,
    );
  if (staleLimitMs < ttlMs)
    throw new RangeError(`staleLimitMs (${staleLimitMs}) must not be less than ttlMs (${ttlMs})`);
  const tell = options.onEvent && warnOfErrors(options.onEvent);

  const secrets = boundedMap<CachedSecret<Value>>(maxSecrets, ({ name }) => tell?.({ kind: "evicted", ...name }));

  async function fetchVersion(name: SecretName): Promise<Fetched<Value>> {
    const { secretId: SecretId, versionStage: VersionStage } = name;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      // The SDK looks at the signal only once it has credentials, which may never come.
      const call = client.send(new GetSecretValueCommand({ SecretId, VersionStage }), { abortSignal: limit });
      const output = await untilAborted(call, limit);
      const value = async () => {
        const reading = secretValue(name, output, format, schema);
        return untilAborted(reading, limit).catch((error: unknown) => {
          throw error === limit.reason
            ? new SecretCacheError("bad-secret", name, `the schema did not answer within ${timeoutMs} ms`)
            : error;
        });
      };
      return { versionId: output.VersionId, value };
    } catch (error) {
      throw limit.aborted ? timeoutError(name, error, timeoutMs) : serviceError(name, error);
    }
  }

  function secretOf(secretId: string, stage = versionStage): CachedSecret<Value> {
    // No name or ARN has a line break in it. To put a key together takes as long as everything else that a hit does.
    const key = stage === versionStage ? secretId : `${secretId}\n${stage}`;
    const known = secrets.get(key);
    if (known) return known;
    const name = { secretId, versionStage: stage };
    const secret = new CachedSecret<Value>(name, limits, () => fetchVersion(name), tell);
    secrets.add(key, secret);
    return secret;
  }

  const handOut = (ask: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> => {
    if (signal?.aborted) return Promise.reject(signal.reason);
    // Bytes cannot be frozen.
    const answer = format === "binary" ? ask().then(copied) : ask();
    return signal ? untilAborted(answer, signal) : answer;
  };

  return {
    get: (secretId, { signal, versionStage: stage } = {}) => handOut(() => secretOf(secretId, stage).get(), signal),
    refreshNow: (secretId, { refused, signal, versionStage: stage } = {}) =>
      handOut(() => secretOf(secretId, stage).refreshNow(refused), signal),
  };
}

/** A timer that is set to more ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function requirePositive(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new RangeError(`${name} must be a positive whole number, not ${value}`);
  }
}

/** What measures the cache must not break it, nor fill the log. */
function warnOfErrors(onEvent: (event: SecretCacheEvent) => void): (event: SecretCacheEvent) => void {
  let isWarned = false;
  const warn = (error: unknown) => {
    if (isWarned) return;
    isWarned = true;
    process.emitWarning(`onEvent of a secret cache failed: ${inspect(error)}`, "SecretCacheWarning");
  };
  return (event) => {
    try {
      const hearing: unknown = onEvent(event);
      if (isPromise(hearing)) hearing.catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}

function copied<Value>(value: Value): Value {
  if (Buffer.isBuffer(value)) return Buffer.from(value) as Value;
  return value instanceof Uint8Array ? (new Uint8Array(value) as Value) : value;
}

function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
