#!/usr/bin/env node
import { setTimeout } from "node:timers/promises";
import { run } from "./run.ts";

const interruption = new AbortController();
// The second Ctrl-C ends the process at once, but where something must not be left half done.
process.once("SIGINT", () => interruption.abort());
const { stdin, stdout, stderr } = process;
const { signal } = interruption;
for (const stream of [stdout, stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read it has seen enough, as head has, or has closed the terminal; what was begun must come to its end.
    if (error.code === "EPIPE" || error.code === "EIO") return;
    process.exitCode = 1;
    if (stream === stdout) stderr.write(`quarterturn: The result could not be written (${error.message}).\n`);
  });
process.exitCode ||= await run(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env: process.env,
  signal,
  now: () => new Date(),
  sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
});
