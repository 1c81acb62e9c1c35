#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  engines: { node: string };
};
// An older one does not know what the imports below import.
const oldest = engines.node.replace(">=", "");
const isOlder = oldest.localeCompare(process.versions.node, "en", { numeric: true }) > 0;
if (isOlder) {
  process.stderr.write(`quarterturn: It takes Node.js ${oldest} or later, and this is ${process.versions.node}.\n`);
  process.exit(2);
}
const { run } = await import("./run.ts");

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
