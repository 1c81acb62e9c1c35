/**
 * What Lambda's runtime does, for a process on this machine: loads the handler and answers events, one at a time. CommonJS, which costs
 * nothing before the handler's own time begins.
 */
const { randomUUID } = require("node:crypto");
const { join } = require("node:path");

const started = performance.now();
const { handler } = require(join(process.env.LAMBDA_TASK_ROOT, "index.js"));
const initMs = performance.now() - started;

process.on("message", async ({ event, timeoutMs }) => {
  const begun = performance.now();
  const context = {
    awsRequestId: randomUUID(),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(begun + timeoutMs - performance.now())),
  };
  const outcome = await run(event, context);
  process.send({
    ...outcome,
    durationMs: performance.now() - begun,
    peakMemoryMb: process.resourceUsage().maxRSS / 1024,
    measures: performance
      .getEntriesByType("measure")
      .map(({ name, startTime, duration }) => ({ name, startTime, duration })),
  });
  performance.clearMeasures();
});
process.once("disconnect", () => process.exit());
process.send({ initMs });

async function run(event, context) {
  try {
    await handler(event, context);
    return {};
  } catch (error) {
    return { error: { errorType: error?.name ?? typeof error, errorMessage: error?.message ?? String(error) } };
  }
}
