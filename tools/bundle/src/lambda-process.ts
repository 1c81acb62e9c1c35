import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

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
  /** Of the process, so far. */
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
   * @throws Error with the name and message of what the handler threw, as Lambda reports them, or where the process ended or was out of time
   */
  invoke(event: unknown): Promise<Invocation>;
  /** SIGKILL; resolves when the process is gone. Idempotent. */
  kill(): Promise<void>;
}

/**
 * Starts a function as Lambda does: `index.js` of the folder, `handler` of it, in a process with Lambda's environment and nothing of this
 * process's.
 *
 * @throws Error where the handler could not be loaded
 */
export async function startLambda(options: LambdaProcessOptions): Promise<LambdaProcess> {
  const { folder, env, nodeBinary = process.execPath, timeoutMs = 30_000, preload } = options;
  const started = performance.now();
  const child = fork(runtime, {
    execPath: nodeBinary,
    execArgv: preload === undefined ? [] : ["--require", preload],
    cwd: folder,
    env: { ...lambdaEnvironment(folder), ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const closed = once(child, "close");
  const ended = closed.then(([code, signal]) => {
    throw new Error(`The function's process ended (${signal ?? `exit code ${code}`}):\n${output}`);
  });

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await closed;
  }

  /** The next message of the process, unless it ends before. */
  async function answer(): Promise<unknown> {
    const message = Promise.withResolvers<unknown>();
    child.once("message", message.resolve);
    try {
      return await Promise.race([message.promise, ended]);
    } finally {
      child.off("message", message.resolve);
    }
  }

  const { initMs } = (await answer()) as { initMs: number };
  const startMs = performance.now() - started;

  return {
    startMs,
    initMs,
    get output() {
      return output;
    },
    async invoke(event) {
      const timeout = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      try {
        // That there is nobody to send to is reported by the end of the process.
        child.send({ event, timeoutMs }, () => undefined);
        const { error, ...invocation } = (await answer()) as Invocation & { error?: ThrownError };
        if (error) throw Object.assign(new Error(error.errorMessage), { name: error.errorType });
        return invocation;
      } finally {
        clearTimeout(timeout);
      }
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

const runtime = fileURLToPath(new URL("./lambda-runtime.cjs", import.meta.url));

interface ThrownError {
  readonly errorType: string;
  readonly errorMessage: string;
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
