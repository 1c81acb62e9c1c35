#!/usr/bin/env node
import { run } from "./run.ts";

const interruption = new AbortController();
// The second Ctrl-C ends the process at once.
process.once("SIGINT", () => interruption.abort());
const { stdin, stdout, stderr } = process;
stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read the result has seen enough, as head has.
  if (error.code === "EPIPE") process.exit();
  throw error;
});
process.exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env: process.env,
  signal: interruption.signal,
  now: () => new Date(),
});
