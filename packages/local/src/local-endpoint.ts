import { randomUUID } from "node:crypto";
import { eventLog, type LocalEvent } from "./event-log.ts";
import { httpServer, listenOnLoopback, type Protocol } from "./http-server.ts";
import { perform, requireOperation } from "./operations.ts";
import { rotationEngine } from "./rotation.ts";
import type { RotationFunction } from "./rotation-function.ts";
import { rotateWhenDue } from "./rotation-requests.ts";
import { removeExpiredSecrets } from "./secrets.ts";
import type { Service } from "./service.ts";
import { ServiceError } from "./service-error.ts";
import { findSecret, type ReplicaStatus, requireSecret } from "./state.ts";
import { readState, stateWriter } from "./state-file.ts";

export interface LocalOptions {
  /** 0 or absent: any free port. It always listens on 127.0.0.1. */
  port?: number;
  /** us-east-1 if absent. */
  region?: string;
  /** 000000000000 if absent. */
  accountId?: string;
  /** By function name. RotateSecret's RotationLambdaARN takes the name's ARN, or the bare name. */
  functions?: Record<string, RotationFunction>;
  /** How often a failed rotation is tried again by itself, after the first try (3 if absent), and how long after. */
  rotationRetry?: { attempts: number; delayMs: number };
  /**
   * What happens when the pending version became AWSCURRENT before finishSecret, which the service's documentation
   * leaves open: the steps go on ("continue", the default), or the rotation counts as over and another is accepted.
   */
  afterEarlyPromotion?: "continue" | "over";
  /**
   * What becomes of AWSPENDING on a version that is AWSCURRENT by now, when its rotation is over. The service was seen to leave it there
   * ("kept", the default) and to clean it up later ("removed", here at once).
   */
  promotedPending?: "kept" | "removed";
  /** Where the state is kept (mode 0600, secret values in clear). Absent: in memory only. */
  file?: string;
  /** The clock of schedules and of recovery windows. */
  now?: () => Date;
}

/** A running endpoint. */
export interface LocalEndpoint extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly region: string;
  functionArn(name: string): string;
  /** What CloudTrail would show, in order; the latest 20,000. Never a secret value. */
  readonly events: readonly LocalEvent[];
  /** @returns a function that ends it */
  onEvent(listener: (event: LocalEvent) => void): () => void;
  /** Resolves when no rotation, of this secret or at all, is running or waiting to be tried again. */
  settled(secretId?: string): Promise<void>;
  /** Plays a replica that lags or failed. @throws if there is no such secret or replica */
  setReplicaStatus(secretId: string, region: string, status: ReplicaStatus): void;
  /** Idempotent. A function that is running is not waited for. */
  close(): Promise<void>;
}

/** How often schedules and recovery windows are looked at: a clock that is set by hand cannot be waited for. */
const TICK_MS = 250;

const PROTOCOL: Protocol = {
  service: "Secrets Manager",
  targetPrefix: "secretsmanager.",
  internalError: "InternalServiceError",
  errorsInLowerCase: new Set([
    "AccessDeniedException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
  ]),
};

const DEFAULT_RETRY = { attempts: 3, delayMs: 500 };

/** Before anybody believes that the state is kept. */
function requireWritable(file: string | undefined, save: () => void): void {
  try {
    save();
  } catch (error) {
    throw new Error(
      `The state cannot be kept in ${file}: ${String(error)}. Name a file in a folder that you may write to.`,
    );
  }
}

/**
 * Starts an endpoint that speaks Secrets Manager's protocol on 127.0.0.1.
 * @throws if the port is taken, or the file is not a state file or cannot be written
 */
export async function startLocal(options: LocalOptions = {}): Promise<LocalEndpoint> {
  const { region = "us-east-1", accountId = "000000000000", functions = {}, now = () => new Date() } = options;
  const state = options.file === undefined ? { secrets: [] } : readState(options.file);
  const save = options.file === undefined ? () => undefined : stateWriter(options.file, state);
  requireWritable(options.file, save);
  const log = eventLog(now);
  let unsaved = false;
  const functionArn = (name: string) => `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  const functionsByArn = new Map(Object.entries(functions).map(([name, body]) => [functionArn(name), body]));
  const rotations = rotationEngine({
    state,
    log,
    retry: options.rotationRetry ?? DEFAULT_RETRY,
    afterEarlyPromotion: options.afterEarlyPromotion ?? "continue",
    promotedPending: options.promotedPending ?? "kept",
    functionOf: (arn) => functionsByArn.get(arn),
    now: () => now().getTime(),
    save: saveInBackground,
  });
  const service: Service = {
    state,
    region,
    accountId,
    rotations,
    registeredFunctionArn: (arnOrName) =>
      [arnOrName, functionArn(arnOrName)].find((candidate) => functionsByArn.has(candidate)),
    now: () => now().getTime(),
  };

  const server = httpServer(PROTOCOL, answer);
  const listening = await listenOnLoopback(server, options.port);
  const ticks = setInterval(tick, TICK_MS).unref();
  rotations.resume();

  function answer(target: string, body: Uint8Array): object {
    const name = requireOperation(target);
    const started = performance.now();
    let secretId: string | undefined;
    const logCall = (details: { secretArn?: string | undefined; errorCode?: string }) => {
      const secretArn = details.secretArn ?? (secretId === undefined ? undefined : findSecret(state, secretId)?.arn);
      log.add({
        kind: "api-call",
        name,
        durationMs: performance.now() - started,
        ...(secretArn !== undefined && { secretArn }),
        ...(details.errorCode !== undefined && { errorCode: details.errorCode }),
      });
    };
    try {
      const result = perform(service, name, body, (id) => {
        secretId = id;
      });
      const secret = secretId === undefined ? undefined : findSecret(state, secretId);
      if (secret !== undefined) rotations.review(secret);
      save();
      logCall({ secretArn: "ARN" in result ? String(result.ARN) : undefined });
      return result;
    } catch (error) {
      logCall({ errorCode: error instanceof ServiceError ? error.code : PROTOCOL.internalError });
      throw error;
    }
  }

  function tick(): void {
    removeExpiredSecrets(state, service.now());
    for (const secret of state.secrets) rotateWhenDue(service, secret, randomUUID);
    saveInBackground();
  }

  /** Where no call waits for the answer, a file that can't be written is a warning, once. The next call fails. */
  function saveInBackground(): void {
    try {
      save();
      unsaved = false;
    } catch (error) {
      if (!unsaved) process.emitWarning(`The local endpoint can't write ${options.file}: ${String(error)}`);
      unsaved = true;
    }
  }

  async function close(): Promise<void> {
    clearInterval(ticks);
    rotations.close();
    await listening.close();
  }

  return {
    url: listening.url,
    region,
    functionArn,
    events: log.events,
    onEvent: log.onEvent,
    settled: (secretId) => rotations.settled(secretId === undefined ? undefined : requireSecret(state, secretId).arn),
    setReplicaStatus(secretId, replicaRegion, status) {
      const replica = requireSecret(state, secretId).replicas.find((one) => one.region === replicaRegion);
      if (replica === undefined) throw new Error(`Secret ${secretId} has no replica in ${replicaRegion}.`);
      replica.status = status;
      save();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
