/**
 * The inside of a function's process: imports the module that the command line names, and calls its handler for each message. What Lambda's
 * runtime does, with a channel to the parent in place of Lambda's runtime API.
 */
import type { RotationHandler } from "@quarterturn/core";
import type { Invocation, Outcome } from "./rotation-function.ts";

const { handler } = (await import(String(process.argv[2]))) as { handler: RotationHandler };

process.on("message", async ({ event, requestId, deadline }: Invocation) => {
  let outcome: Outcome = {};
  try {
    await handler(event, { awsRequestId: requestId, getRemainingTimeInMillis: () => deadline - Date.now() });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    outcome = { error: { name, message } };
  }
  process.send?.(outcome);
});
// The parent has ended, in whatever way.
process.on("disconnect", () => process.exit());
process.send?.("ready");
