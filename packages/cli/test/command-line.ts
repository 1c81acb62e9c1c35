import { PassThrough } from "node:stream";
import type { LocalEndpoint } from "@quarterturn/local";
import { run } from "../src/run.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly now?: () => Date;
  readonly signal?: AbortSignal;
  /** Somebody at a terminal, who presses this key when a question is there. */
  readonly key?: string;
}

/** Runs one command line in this process, without a terminal unless a key is pressed. */
export async function quarterturn(words: readonly string[], { key, ...rest }: Surroundings = {}): Promise<Ran> {
  const stdout = textOf();
  const stderr = textOf();
  const stdin = Object.assign(new PassThrough(), key !== undefined && { isTTY: true, setRawMode: () => undefined });
  if (key !== undefined) {
    const cursor = { clearLine: () => true, cursorTo: () => true, moveCursor: () => true };
    Object.assign(stderr.stream, { isTTY: true, columns: 80, ...cursor });
    // The question reads keys only when it has been shown.
    stderr.stream.on("data", (chunk) => /Yes|Which/.test(String(chunk)) && setTimeout(() => stdin.write(key), 20));
  }
  const code = await run(words, {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
    now: () => new Date(),
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
