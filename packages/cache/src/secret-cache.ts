import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { boundedMap } from "./bounded-map.ts";
import { CachedSecret, type Fetched } from "./cached-secret.ts";
import type { SecretName } from "./errors.ts";
import type { SecretCacheEvent } from "./events.ts";
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
   * How long after a call that was in vain (one that failed, or a refreshNow that found nothing new) the next one may be made, in
   * milliseconds: at first, then doubled each time up to the longest. Default: 100 and 60,000.
   */
  readonly retryMs?: { readonly first: number; readonly longest: number };
  /** How long a call may take, the SDK's own retries included, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
  /** How many secrets are held; the one that was least recently asked for makes way. Default: 1024. */
  readonly maxSecrets?: number;
  /** Hears what the cache does, for metrics. What it throws becomes a warning of the process. */
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
   * found nothing new, the value that is held is given until `retryMs` has passed.
   *
   * @throws SecretCacheError where the call fails, or one failed less than `retryMs` ago
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
  const { first: firstRetryMs, longest: longestRetryMs } = options.retryMs ?? { first: 100, longest: 60_000 };
  const limits = { ttlMs, staleLimitMs, firstRetryMs, longestRetryMs };
  requirePositive({ ...limits, timeoutMs, maxSecrets });
  if (staleLimitMs < ttlMs)
    throw new RangeError(`staleLimitMs (${staleLimitMs}) must not be less than ttlMs (${ttlMs})`);
  const tell = options.onEvent && warnOfErrors(options.onEvent);

  const secrets = boundedMap<CachedSecret<Value>>(maxSecrets, ({ name }) => tell?.({ kind: "evicted", ...name }));

  async function fetchVersion(name: SecretName): Promise<Fetched<Value>> {
    const { secretId: SecretId, versionStage: VersionStage } = name;
    const abortSignal = AbortSignal.timeout(timeoutMs);
    try {
      const output = await client.send(new GetSecretValueCommand({ SecretId, VersionStage }), { abortSignal });
      return { versionId: output.VersionId, value: () => secretValue(name, output, format, schema) };
    } catch (error) {
      throw abortSignal.aborted ? timeoutError(name, error, timeoutMs) : serviceError(name, error);
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

function requirePositive(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new RangeError(`${name} must be a positive whole number, not ${value}`);
  }
}

/** What measures the cache must not break it. */
function warnOfErrors(onEvent: (event: SecretCacheEvent) => void): (event: SecretCacheEvent) => void {
  return (event) => {
    try {
      onEvent(event);
    } catch (error) {
      process.emitWarning(`onEvent of a secret cache threw at "${event.kind}": ${error}`, "SecretCacheWarning");
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
