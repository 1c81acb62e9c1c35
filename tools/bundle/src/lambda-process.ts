import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npmInstallation } from "@quarterturn-tools/engines/installation";
import { type ReportedError, startRuntimeApi } from "./runtime-api.ts";

export interface LambdaProcessOptions {
  /** Where the function's files are; see `deploy`. */
  readonly folder: string;
  /** The function's settings, beside what Lambda itself sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: the Node.js of this process. */
  readonly nodeBinary?: string;
  /** The function's timeout, 30 s if absent, as AWS's rotation functions have it. */
  readonly timeoutMs?: number;
  /** A CommonJS file that is loaded before the handler, to measure. What it gives to `performance.measure` is in each invocation's answer. */
  readonly preload?: string;
}

/** What an invocation cost. */
export interface Invocation {
  readonly durationMs: number;
  /** Of the process, so far: how long its threads ran, and its largest resident set. */
  readonly processorMs: number;
  readonly peakMemoryMb: number;
  /** `startTime` counts from the start of the process, in milliseconds. */
  readonly measures: readonly { readonly name: string; readonly startTime: number; readonly duration: number }[];
}

/** An execution environment: a process that has loaded the handler. */
export interface LambdaProcess extends AsyncDisposable {
  /** From the call of `startLambda` until the process could take an event. */
  readonly startMs: number;
  /** Of these, loading the handler. */
  readonly initMs: number;
  /** What it wrote, log records included; complete when it was killed. */
  readonly output: string;
  /**
   * Runs the handler, one event at a time.
   * @throws Error whose name and message are the errorType and errorMessage that Lambda reports: of what the handler threw, or
   * Sandbox.Timedout or Runtime.ExitError
   */
  invoke(event: unknown): Promise<Invocation>;
  /** SIGKILL; resolves when the process is gone. Idempotent. */
  kill(): Promise<void>;
}

/**
 * Starts a function as Lambda does: AWS's own runtime client, in a process with Lambda's environment and nothing of this process's, loads
 * `handler` of the folder's `index.js` and asks for events by the runtime API.
 *
 * @throws Error where the handler could not be loaded, with what the client reports as its name and message
 */
export async function startLambda(options: LambdaProcessOptions): Promise<LambdaProcess> {
  const { folder, env, nodeBinary = process.execPath, timeoutMs = 30_000, preload } = options;
  const client = join(await npmInstallation(runtimeClient), "node_modules/aws-lambda-ric/index.mjs");
  await using starting = new AsyncDisposableStack();
  const api = starting.use(await startRuntimeApi());
  const started = performance.now();
  const preloads = [rapidClient, ...(preload === undefined ? [] : [preload])];
  const child = spawn(nodeBinary, [...preloads.flatMap((file) => ["--require", file]), client], {
    cwd: folder,
    env: { ...lambdaEnvironment(folder), AWS_LAMBDA_RUNTIME_API: api.address, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const closed = once(child, "close");
  starting.defer(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  const ended = closed.then(([code, signal]) => {
    const status = signal === null ? `exit status ${code}` : `signal: ${signal}`;
    throw lambdaError({
      errorType: "Runtime.ExitError",
      errorMessage: `Runtime exited with error: ${status}\n${output}`,
    });
  });
  // It may end while nobody waits for it.
  ended.catch(() => undefined);

  const init = await Promise.race([api.initialized, ended]);
  if ("error" in init) throw lambdaError(init.error);
  const startMs = performance.now() - started;
  const running = starting.move();
  let killed: Promise<void> | undefined;
  function kill(): Promise<void> {
    killed ??= running.disposeAsync();
    return killed;
  }

  return {
    startMs,
    initMs: init.initMs,
    get output() {
      return output;
    },
    async invoke(event) {
      const requestId = randomUUID();
      const timedOut = Promise.withResolvers<never>();
      const timeout = setTimeout(() => {
        child.kill("SIGKILL");
        const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
        timedOut.reject(lambdaError({ errorType: "Sandbox.Timedout", errorMessage }));
      }, timeoutMs);
      try {
        const answer = api.invoke(requestId, event, new Date(Date.now() + timeoutMs));
        const { error, cost } = await Promise.race([answer, timedOut.promise, ended]);
        if (error) throw lambdaError(error);
        return JSON.parse(cost) as Invocation;
      } finally {
        clearTimeout(timeout);
      }
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

const runtimeClient = fileURLToPath(new URL("../runtime-client", import.meta.url));
const rapidClient = fileURLToPath(new URL("./rapid-client.cjs", import.meta.url));

function lambdaError({ errorType, errorMessage }: ReportedError): Error {
  return Object.assign(new Error(errorMessage), { name: errorType });
}

/**
 * What Lambda sets.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
function lambdaEnvironment(folder: string): Record<string, string> {
  return {
    _HANDLER: "index.handler",
    LAMBDA_TASK_ROOT: folder,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: "rotation",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/rotation",
    AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/21/[$LATEST]0123456789abcdef",
    // As the project's SAM templates set them.
    AWS_LAMBDA_LOG_FORMAT: "JSON",
    AWS_LAMBDA_LOG_LEVEL: "INFO",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "key-of-the-role",
    AWS_SECRET_ACCESS_KEY: "secret-of-the-role",
    AWS_SESSION_TOKEN: "session-of-the-role",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    // Lambda's user has no home folder; this keeps the developer's own .aws out.
    HOME: folder,
  };
}
