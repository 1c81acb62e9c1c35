import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = new URL("../src/main.ts", import.meta.url);

/** Starts the demo as for the first time, with no terminal. @param environment beside PATH */
export function startDemo(
  commandLine: readonly string[] = [],
  environment: Readonly<Record<string, string | undefined>> = {},
  script = main,
) {
  const child = spawn(process.execPath, ["--conditions=@quarterturn/source", fileURLToPath(script), ...commandLine], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, to which a signal is sent as a terminal sends it.
    detached: true,
  });
  const exited = once(child, "exit");
  return { child, stdout: text(child.stdout), stderr: text(child.stderr), exited };
}

export async function runDemo(...start: Parameters<typeof startDemo>) {
  const { stdout, stderr, exited } = startDemo(...start);
  const [code] = await exited;
  return { code, stdout: await stdout, stderr: await stderr };
}

/** The cells of a row of the summary. */
export const rowOf = (output: string, name: string) =>
  output
    .split("\n")
    .find((line) => line.startsWith(`  ${name}`))
    ?.slice(2 + name.length)
    .trim()
    .split(/ {2,}/);

export const numbersOf = (output: string, name: string) =>
  rowOf(output, name)?.map((cell) => Number.parseInt(cell, 10)) ?? [];

export const longLines = (output: string) => output.split("\n").filter((line) => line.length > 80);
