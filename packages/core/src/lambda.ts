import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Deadline, deadlineOf } from "./deadline.ts";
import { asRotationError, RotationError } from "./errors.ts";
import { parseEvent, type RotationEvent } from "./event.ts";
import { AWSCURRENT } from "./labels.ts";
import { jsonLog, type Log } from "./log.ts";
import { createRedactor } from "./redaction.ts";
import type { RotationContext, Rotator } from "./rotator.ts";
import { requireStillPending, runStep } from "./runner.ts";
import { type ApiCalls, secretsManagerClient, secretsManagerStore } from "./secrets-manager.ts";
import { coreSettings, type Environment, type LogLevel } from "./settings.ts";
import type { SecretStore } from "./store.ts";

/** What of Lambda's context is used. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type RotationHandler = (event: unknown, context: LambdaContext) => Promise<void>;

/**
 * A Lambda handler that runs one step of a rotation.
 *
 * It resolves when the step is done, and rejects with a redacted RotationError, which is what the service counts as a failed step.
 * Settings are read from the environment at the first event, so that a bad one is reported like every other error.
 *
 * @param createRotator makes the rotator, once for each process
 */
export function rotationHandler<S, Changes>(
  createRotator: (env: Environment) => Rotator<S, Changes>,
  env: Environment = process.env,
): RotationHandler {
  let prepared: { client: SecretsManagerClient; rotator: Rotator<S, Changes>; earlyPromotion: boolean } | undefined;

  return async (input, lambda) => {
    const started = performance.now();
    const redactor = createRedactor();
    const apiCalls: ApiCalls = {};
    let log = logFor(env, "INFO", lambda, undefined, redactor.redact);
    try {
      const { logLevel, endpoint, earlyPromotion } = coreSettings(env);
      log = logFor(env, logLevel, lambda, undefined, redactor.redact);
      const event = await parseEvent(input);
      if (event.rotationToken !== undefined) redactor.learn(event.rotationToken);
      log = logFor(env, logLevel, lambda, event, redactor.redact);
      prepared ??= { client: secretsManagerClient(endpoint), rotator: createRotator(env), earlyPromotion };
      const deadline = deadlineOf(() => lambda.getRemainingTimeInMillis());
      const store = secretsManagerStore(prepared.client, deadline, redactor.learn, apiCalls);
      const context = contextOf(event, store, deadline, log);
      const outcome = await runStep(event, prepared.rotator, store, context, prepared.earlyPromotion);
      log.info(outcome === "ran" ? "Step done" : "Step was done by an earlier try", {
        milliseconds: Math.round(performance.now() - started),
        apiCalls,
      });
    } catch (thrown) {
      const error = asRotationError(thrown);
      const safe = safeError(error, redactor.redact);
      log.error("Step failed", { code: safe.code, reason: safe.message, apiCalls, stack: framesOf(error) });
      throw safe;
    }
  };
}

function logFor(
  env: Environment,
  level: LogLevel,
  lambda: LambdaContext,
  event: RotationEvent | undefined,
  redact: (text: string) => string,
): Log {
  const base = {
    // Whoever reads a log by a program knows by it that a line was redacted here.
    logger: "quarterturn",
    requestId: lambda.awsRequestId,
    function: env.AWS_LAMBDA_FUNCTION_NAME,
    step: event?.step,
    secret: event?.secretId,
    version: event?.token,
  };
  return jsonLog((line) => void process.stdout.write(`${line}\n`), level, base, redact);
}

function contextOf(event: RotationEvent, store: SecretStore, deadline: Deadline, log: Log): RotationContext {
  const started = Date.now();
  return {
    secretId: event.secretId,
    token: event.token,
    deadline,
    log,
    async readSecret(secretId) {
      const version = await store.read(secretId, { label: AWSCURRENT });
      if (version) return version.text;
      throw new RotationError(
        "bad-secret",
        `The secret ${secretId} does not exist or has no AWSCURRENT value`,
        "This try changed nothing. Correct the ARN, or store the value.",
      );
    },
    describeSecret: (secretId) => store.describe(secretId),
    async requirePending(milliseconds = HELD_UP_MS) {
      // By the wall's clock, which goes on while a function is frozen.
      if (Date.now() - started >= milliseconds) await requireStillPending(event, store);
    },
  };
}

/** After how many milliseconds a step counts as held up. */
const HELD_UP_MS = 2_000;

/** What leaves the process: the error's words without secret values, and not its cause, whose text was written by drivers. */
function safeError(error: RotationError, redact: (text: string) => string): RotationError {
  const safe = new RotationError(
    error.code,
    redact(error.what),
    redact(error.advice),
    error.place ? { place: error.place } : {},
  );
  safe.stack = `${safe.name}: ${safe.message}`;
  return safe;
}

/** Where an error that nobody foresaw came from: the frames of its stack, without its text. */
function framesOf({ code, cause }: RotationError): readonly string[] | undefined {
  if (code !== "unexpected" || !(cause instanceof Error)) return undefined;
  return cause.stack
    ?.split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 10);
}
