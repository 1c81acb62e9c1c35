import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { RotationContext, RotationEvent } from "@quarterturn/local";

/** What the function's process is told for one step. */
export interface Invocation {
  readonly event: RotationEvent;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** What it answers; `error` where the step failed. */
export interface Outcome {
  readonly error?: { readonly name: string; readonly message: string };
}

/** A rotation function in a process of its own, which stays warm from one step to the next, as Lambda's do. */
export interface RotationFunctionProcess extends AsyncDisposable {
  /** Resolves when it takes steps; to be called once, first. @throws Error if it ended instead */
  ready(): Promise<void>;
  /** Runs one step; not two at the same time. @throws Error in the function's words */
  invoke(event: RotationEvent, context: RotationContext): Promise<void>;
  /** What it wrote, line by line: in AWS, its log group in CloudWatch. */
  readonly log: readonly string[];
}

/**
 * @param module what a Lambda function's code would be: a module that exports `handler`
 * @param environment the function's whole environment: nothing of the caller's, such as AWS credentials, gets into it
 */
export function startRotationFunction(
  module: string,
  environment: Readonly<Record<string, string>>,
): RotationFunctionProcess {
  const log: string[] = [];
  const child = fork(new URL("./function-process.ts", import.meta.url), [module], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // Away from the terminal: its Ctrl-C is for the demo, which ends this process when it is done with it.
    detached: true,
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface(output).on("line", (line) => log.push(line));
  }
  const exited = once(child, "exit");

  async function answer(): Promise<unknown> {
    const [message] = await Promise.race([once(child, "message"), exited.then(() => [])]);
    if (message !== undefined) return message;
    throw new Error(`The process of ${module} ended (${child.exitCode ?? child.signalCode}).\n${log.join("\n")}`);
  }

  return {
    log,
    async ready() {
      await answer();
    },
    async invoke(event, context) {
      const deadline = Date.now() + context.getRemainingTimeInMillis();
      const invocation: Invocation = { event, requestId: context.awsRequestId, deadline };
      child.send(invocation);
      const { error } = (await answer()) as Outcome;
      if (error !== undefined) throw Object.assign(new Error(error.message), { name: error.name });
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
