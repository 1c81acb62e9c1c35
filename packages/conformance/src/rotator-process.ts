import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Invocation, ThrownError } from "./invocation.ts";

/** How one invocation of a step ended. `timed-out`: it was killed at its deadline, as Lambda does; `crashed`: the process ended by itself. */
export type Outcome = { readonly output: string } & (
  | { readonly is: "done" | "killed" | "timed-out" | "crashed" }
  | { readonly is: "failed"; readonly error: ThrownError }
);

/** A warm instance of the rotation function: its own process, which can be killed at any moment. */
export class RotatorProcess {
  /** Resolves when the handler is loaded; rejects if it cannot be. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  #output = { stdout: "", stderr: "" };
  #wake: () => void = () => undefined;
  #answer: Answer | undefined;
  #death: "killed" | "timed-out" | undefined;
  #hasClosed = false;

  /** @param env the whole environment of the process */
  constructor(handler: URL, env: Readonly<Record<string, string>>) {
    const entry = import.meta.url.endsWith(".ts")
      ? new URL("./rotator-child.ts", import.meta.url)
      : new URL("./rotator-child.js", import.meta.url);
    this.#child = fork(fileURLToPath(entry), [handler.href], {
      env,
      execArgv: exportConditions(),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of ["stdout", "stderr"] as const) {
      this.#child[stream]?.setEncoding("utf8").on("data", (text: string) => {
        this.#output[stream] += text;
        this.#wake();
      });
    }
    this.#child.on("message", (answer: Answer) => {
      this.#answer = answer;
      this.#wake();
    });
    this.#closed = once(this.#child, "close").then(() => {
      this.#hasClosed = true;
      this.#wake();
    });
    this.ready = this.#until(() => this.#answer !== undefined).then(() => {
      if (this.#hasClosed) throw new Error(`The rotator's module did not load:\n${this.#output.stderr}`);
    });
    // Reported by the first invocation.
    this.ready.catch(() => undefined);
  }

  /** One invocation at a time. */
  async invoke(event: unknown, remainingMs: number): Promise<Outcome> {
    await this.ready;
    this.#answer = undefined;
    this.#output = { stdout: "", stderr: "" };
    const mark = randomUUID();
    this.#child.send({ mark, event, remainingMs } satisfies Invocation);
    const lambda = setTimeout(() => this.#end("timed-out"), remainingMs);
    await this.#until(
      () => this.#answer !== undefined && Object.values(this.#output).every((text) => text.includes(mark)),
    );
    clearTimeout(lambda);
    // It may have been killed after it answered.
    if (this.#death) await this.#closed;
    const output = `${this.#output.stdout}${this.#output.stderr}`.replaceAll(`${mark}\n`, "");
    if (this.#hasClosed) return { is: this.#death ?? "crashed", output };
    const answer = this.#answer as Answer | undefined;
    return answer?.is === "failed" ? { ...answer, output } : { is: "done", output };
  }

  /** SIGKILL; resolves when the process is gone and its output was read. */
  async kill(): Promise<void> {
    this.#end("killed");
    await this.#closed;
  }

  #end(how: "killed" | "timed-out"): void {
    this.#death ??= how;
    this.#child.kill("SIGKILL");
  }

  /** Resolves when the condition holds, or when the process has ended. */
  async #until(condition: () => boolean): Promise<void> {
    while (!this.#hasClosed && !condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}

/** The export conditions of this process, so that sources load sources. */
function exportConditions(): string[] {
  return process.execArgv.flatMap((argument, index, all) => {
    if (/^(--conditions=|-C=)/.test(argument)) return [argument];
    return argument === "--conditions" || argument === "-C" ? [argument, all[index + 1] ?? ""] : [];
  });
}
