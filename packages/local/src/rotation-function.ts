import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import type { Step } from "./event-log.ts";

/** What Secrets Manager sends to a rotation function (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html). */
export interface RotationEvent {
  Step: Step;
  /** The secret's ARN. */
  SecretId: string;
  /** The id of the pending version. */
  ClientRequestToken: string;
  /** To be passed on to PutSecretValue. Sensitive. */
  RotationToken: string;
}

/** The part of Lambda's context that a handler in this process gets. */
export interface RotationContext {
  readonly functionName: string;
  readonly invokedFunctionArn: string;
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/**
 * A handler in this process, or a Lambda Invoke URL
 * (http://127.0.0.1:9000/2015-03-31/functions/NAME/invocations): the event is posted as JSON, and an answer with the
 * header X-Amz-Function-Error, or with another status than 2xx, is a failed step.
 */
export type RotationFunction = ((event: RotationEvent, context: RotationContext) => Promise<unknown>) | URL;

export type InvocationOutcome =
  | { readonly succeeded: true }
  | { readonly succeeded: false; readonly errorType: string; readonly errorMessage: string };

/** The timeout of AWS's own rotation functions. Milliseconds. */
const HANDLER_TIMEOUT = 30_000;

/** No Lambda function runs longer. Milliseconds. */
const INVOKE_URL_TIMEOUT = 900_000;

/** Invokes a function and waits for its answer. Never throws: whatever goes wrong is a failed outcome. */
export async function invoke(
  rotationFunction: RotationFunction,
  functionArn: string,
  event: RotationEvent,
  handlerTimeout = HANDLER_TIMEOUT,
): Promise<InvocationOutcome> {
  try {
    return rotationFunction instanceof URL
      ? await invokeUrl(rotationFunction, event)
      : await invokeHandler(rotationFunction, functionArn, event, handlerTimeout);
  } catch (error) {
    return failure(error instanceof Error ? error.name : typeof error, messageOf(error));
  }
}

async function invokeHandler(
  handler: Exclude<RotationFunction, URL>,
  functionArn: string,
  event: RotationEvent,
  timeout: number,
): Promise<InvocationOutcome> {
  const deadline = performance.now() + timeout;
  const timer = new AbortController();
  const context: RotationContext = {
    functionName: functionArn.split(":").at(-1) ?? functionArn,
    invokedFunctionArn: functionArn,
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => Math.max(0, deadline - performance.now()),
  };
  const timedOut = sleep(timeout, TIMED_OUT, { signal: timer.signal, ref: false });
  // The timer is stopped when the handler has answered; that it then rejects means nothing.
  timedOut.catch(() => undefined);
  try {
    const answer = await Promise.race([handler(event, context), timedOut]);
    return answer === TIMED_OUT
      ? failure("Sandbox.Timedout", `Task timed out after ${(timeout / 1000).toFixed(2)} seconds`)
      : { succeeded: true };
  } finally {
    timer.abort();
  }
}

const TIMED_OUT = Symbol("timed out");

const lambdaErrorSchema = v.object({
  errorType: v.optional(v.string(), "Error"),
  errorMessage: v.optional(v.string(), "The function failed without a message."),
});

async function invokeUrl(url: URL, event: RotationEvent): Promise<InvocationOutcome> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(event),
    redirect: "error",
    signal: AbortSignal.timeout(INVOKE_URL_TIMEOUT),
  });
  const text = await response.text();
  const functionError = response.headers.get("x-amz-function-error");
  if (!response.ok) return failure("InvokeFailed", `The function's URL answered with HTTP status ${response.status}.`);
  if (functionError === null) return { succeeded: true };
  const { errorType, errorMessage } = lambdaErrorOf(text);
  return failure(errorType, errorMessage);
}

function lambdaErrorOf(text: string): v.InferOutput<typeof lambdaErrorSchema> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), lambdaErrorSchema), text);
  return parsed.success ? parsed.output : { errorType: "Error", errorMessage: text };
}

const failure = (errorType: string, errorMessage: string): InvocationOutcome => ({
  succeeded: false,
  errorType,
  errorMessage,
});

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
