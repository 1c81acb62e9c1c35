import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { State } from "./state.ts";

const FORMAT = 1;

/**
 * Reads the state that an endpoint left. No file yet is an empty state.
 * @throws Error if the file is there and is not one of this endpoint's
 */
export function readState(file: string): State {
  const text = readIfThere(file);
  if (text === undefined) return { secrets: [] };
  const content = parse(text, file);
  if (content?.format !== FORMAT || !Array.isArray(content.secrets)) throw notAStateFile(file);
  return { secrets: content.secrets };
}

/**
 * Makes a function that writes the state if it has changed: to a file that only its owner may read, replaced as a
 * whole, so that a crash leaves the old state or the new one.
 */
export function stateWriter(file: string, state: State): () => void {
  let written: string | undefined;
  return () => {
    const text = JSON.stringify({ format: FORMAT, secrets: state.secrets });
    if (text === written) return;
    const temporary = `${file}.${process.pid}.tmp`;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx", flush: true });
    renameSync(temporary, file);
    written = text;
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string, file: string): { format?: unknown; secrets?: State["secrets"] } | null {
  try {
    return JSON.parse(text);
  } catch {
    throw notAStateFile(file);
  }
}

const notAStateFile = (file: string) =>
  new Error(`${file} is not a state file of the local endpoint. Move it away, or name another file.`);
