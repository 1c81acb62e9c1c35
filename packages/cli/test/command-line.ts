import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalEndpoint } from "@quarterturn/local";
import { run } from "../src/run.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly now?: () => Date;
  readonly sleep?: (milliseconds: number) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** Somebody at a terminal, who presses this key when a question is there, or ends the input; and what happens while it is. */
  readonly key?: string | null | (() => Promise<string>);
  /** What was typed before. */
  readonly typed?: string;
}

/** Runs one command line in this process, without a terminal unless a key is pressed. */
export async function quarterturn(
  words: readonly string[],
  { key, typed = "", ...rest }: Surroundings = {},
): Promise<Ran> {
  const stdout = textOf();
  const stderr = textOf();
  const stdin = Object.assign(new PassThrough(), key !== undefined && { isTTY: true, setRawMode: () => undefined });
  if (key !== undefined) {
    const move = () => true;
    // So wide that no line is broken.
    Object.assign(stderr.stream, { isTTY: true, columns: 1_000, cursorTo: move, moveCursor: move, clearLine: move });
    let isAsked = false;
    stderr.stream.on("data", async (chunk) => {
      if (isAsked || !/Yes|Which/.test(String(chunk))) return;
      isAsked = true;
      // Not before the question listens.
      const pressed = await (typeof key === "function" ? key() : key);
      if (pressed === null) stdin.end();
      else stdin.write(pressed);
    });
    stdin.write(typed);
  }
  const { signal = new AbortController().signal } = rest;
  const code = await run(words, {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: {},
    signal,
    now: () => new Date(),
    sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }),
    ...rest,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** The same at an endpoint. */
export const quarterturnAt =
  (endpoint: Pick<LocalEndpoint, "url">) =>
  (line: string, surroundings?: Surroundings): Promise<Ran> =>
    quarterturn([...line.split(" "), "--endpoint-url", endpoint.url], surroundings);

/** What was printed, the result first, with what differs from run to run replaced; versions are numbered as they appear. */
export function steady({ stdout, stderr }: Pick<Ran, "stdout" | "stderr">): string {
  const versions: string[] = [];
  const numbered = (id: string) => {
    const begins = id.slice(0, 8);
    if (!versions.includes(begins)) versions.push(begins);
    return `VERSION-${versions.indexOf(begins) + 1}`;
  };
  return `${stdout}---\n${stderr}`
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f-]{27}\b|(?=[, ]|$))/gm, numbered)
    .replaceAll(/(:secret:[\w/-]+)-\w{6}/g, "$1-SUFFIX")
    .replaceAll(/^\d\d:\d\d:\d\d/gm, "HH:MM:SS")
    .replaceAll(/after \d+ s/g, "after N s")
    .replaceAll(/\bapp\d+|rotate\/\d+/g, "SECRET")
    .replaceAll(/127\.0\.0\.1:\d+/g, "HOST")
    .replaceAll(/localhost:\d+/g, "DATABASE");
}

function textOf(): { stream: PassThrough; text(): string } {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  return { stream, text: () => text };
}
