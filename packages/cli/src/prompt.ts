import { confirm, isCancel, select } from "@clack/prompts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { isInteractive } from "./io.ts";

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
  if (!(await isYes(context, question))) throw new Failure("refused", "Nothing was changed: the answer was no");
}

/** @throws Failure at Ctrl-C */
async function isYes({ io }: Context, question: string): Promise<boolean> {
  const answer = await confirm({
    message: question,
    initialValue: false,
    input: io.stdin,
    output: io.stderr,
    signal: io.signal,
  });
  if (isCancel(answer)) throw new Failure("interrupted", "Nothing was changed");
  return answer;
}

/** @throws Failure at Ctrl-C */
export async function choose<T extends object>(
  { io }: Context,
  question: string,
  choices: readonly { readonly value: T; readonly label: string }[],
): Promise<T> {
  const answer = await select<object>({
    message: question,
    options: [...choices],
    input: io.stdin,
    output: io.stderr,
    signal: io.signal,
  });
  if (isCancel(answer)) throw new Failure("interrupted", "Nothing was changed");
  return answer as T;
}
