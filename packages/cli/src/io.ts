import type { Readable, Writable } from "node:stream";

/** What a command reads and writes: the process's own streams, or a test's. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown };
  /** Results. */
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Everything else: questions, progress, failures. */
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Where the SDK's clients look for what they are not told. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  now(): Date;
  /** @throws the signal's reason, where it is aborted meanwhile */
  sleep(milliseconds: number): Promise<void>;
}

/** Whether somebody is there to answer a question. */
export const isInteractive = ({ stdin, stderr }: Io): boolean => stdin.isTTY === true && stderr.isTTY === true;
