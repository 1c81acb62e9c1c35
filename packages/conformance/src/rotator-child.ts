/** The process in which a rotator runs, as Lambda would run it: loads the module that its argument names, and calls its handler. */
import { flushCompileCache } from "node:module";
import type { Answer, Invocation, ThrownError } from "./invocation.ts";

interface HandlerContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
}

const { handler } = (await import(process.argv[2] ?? "")) as {
  handler: (event: unknown, context: HandlerContext) => Promise<unknown>;
};

// It would be written at the end of the process, which may be a SIGKILL.
flushCompileCache();

process.on("message", async ({ mark, event, remainingMs }: Invocation) => {
  const end = performance.now() + remainingMs;
  const context: HandlerContext = {
    awsRequestId: mark,
    functionName: "conformance",
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())),
  };
  const answer = await handler(event, context).then(
    (): Answer => ({ is: "done" }),
    (thrown: unknown): Answer => ({ is: "failed", error: thrownError(thrown) }),
  );
  process.stdout.write(`${mark}\n`);
  process.stderr.write(`${mark}\n`);
  process.send?.(answer);
});
// The suite is gone: a handler that hangs must not outlive it.
process.on("disconnect", () => process.exit(1));
process.send?.({ is: "ready" } satisfies Answer);

function thrownError(thrown: unknown): ThrownError {
  if (!(thrown instanceof Error)) return { name: "not an Error", message: String(thrown), stack: "" };
  const { code, advice } = thrown as { code?: unknown; advice?: unknown };
  return {
    name: thrown.name,
    message: thrown.message,
    stack: withCauses(thrown),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof advice === "string" ? { advice } : {}),
  };
}

/** What a platform would print of an error, its causes included. */
function withCauses(error: Error): string {
  const rest = error.cause instanceof Error ? `\ncaused by ${withCauses(error.cause)}` : "";
  return `${error.stack}${rest}`;
}
