import { constants } from "node:os";
import { demo } from "./demo.ts";
import { createScreen } from "./screen.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // To clean up takes a moment, which a second Ctrl-C must not cut short.
  process.on(signal, () => stop.abort(signal));
}
// Whoever read the output has gone, as with `npm run demo | head`.
process.stdout.on("error", () => stop.abort("SIGPIPE"));

try {
  using screen = createScreen(process.stdout, process.env);
  process.exitCode = (await demo({ screen, signal: stop.signal })) ? 0 : 1;
} catch (error) {
  if (stop.signal.aborted && !(error instanceof SuppressedError)) {
    process.exitCode = 128 + constants.signals[stop.signal.reason as NodeJS.Signals];
    console.error("Interrupted. What was started is stopped, and its files are removed.");
  } else {
    process.exitCode = 1;
    console.error(error);
  }
}
