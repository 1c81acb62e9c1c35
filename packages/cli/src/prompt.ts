import { setImmediate } from "node:timers/promises";
import { type CANCEL_SYMBOL, type ConfirmOptions, confirm, isCancel, select, updateSettings } from "@clack/prompts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { type Io, isInteractive } from "./io.ts";

/** The option of every command that asks before it changes something. */
export const yesOption = ["--yes", "do it without asking"] as const;

/**
 * Says what would be done, and asks whether to do it.
 *
 * @param plan one line each
 * @throws Failure where the answer is no, or nobody is there to give one
 */
export async function requireYes(
  context: Context,
  plan: readonly string[],
  question: string,
  { yes }: { readonly yes?: boolean },
): Promise<void> {
  for (const line of plan) context.note(line);
  if (yes) return;
  if (!isInteractive(context.io)) {
    throw new Failure(
      "usage",
      "Nothing was changed: this asks before it changes something, and nobody is there to answer",
      "Read what it would do, above, then run it again with --yes.",
    );
  }
  const isYes = await answerTo(context, (asking) => confirm({ message: question, initialValue: false, ...asking }));
  if (!isYes) throw new Failure("refused", "Nothing was changed: the answer was no");
}

/** @throws Failure where there is no answer */
export async function choose<T extends object>(
  context: Context,
  question: string,
  choices: readonly { readonly value: T; readonly label: string }[],
): Promise<T> {
  const answer = await answerTo(context, (asking) =>
    select<object>({ message: question, options: [...choices], ...asking }),
  );
  return answer as T;
}

type Asking = Required<Pick<ConfirmOptions, "input" | "output" | "signal">>;

// The library knows Ctrl-C alone, and would wait for ever for an input that has ended.
updateSettings({ aliases: { "\u0004": "cancel" } });

/** @throws Failure where there is no answer: Ctrl-C, Ctrl-D, or the input ends */
async function answerTo<T>({ io }: Context, ask: (asking: Asking) => Promise<T | typeof CANCEL_SYMBOL>): Promise<T> {
  const end = new AbortController();
  const abort = () => end.abort();
  io.stdin.once("end", abort);
  try {
    await forgetTyped(io);
    const signal = AbortSignal.any([io.signal, end.signal]);
    const answer = await ask({ input: io.stdin, output: io.stderr, signal });
    if (isCancel(answer)) throw new Failure("interrupted", "Nothing was changed");
    return answer;
  } finally {
    io.stdin.off("end", abort);
  }
}

/** What was typed before the question was there is no answer to it. */
async function forgetTyped({ stdin }: Io): Promise<void> {
  const forget = () => undefined;
  // What is no whole line yet is given out in raw mode only.
  stdin.setRawMode?.(true);
  stdin.on("data", forget);
  // The first may come before the input was looked at in this turn of the event loop.
  await setImmediate();
  await setImmediate();
  stdin.off("data", forget);
}
