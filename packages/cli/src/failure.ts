import { type ErrorCode, RotationError, reasonOf } from "@quarterturn/core";
import type { Ending } from "./exit-codes.ts";

/** What ends a command: one line for the operator, with what to do next, and an exit code. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly ending: Exclude<Ending, "done">;
  readonly what: string;
  readonly next: string;

  /**
   * @param what what happened, one sentence without its full stop
   * @param next what to do next, where there is something: sentences or a command
   */
  constructor(ending: Exclude<Ending, "done">, what: string, next = "", options: { cause?: unknown } = {}) {
    super(next === "" ? `${what}.` : `${what}. ${next}`, options);
    this.ending = ending;
    this.what = what;
    this.next = next;
  }
}

export const interrupted = (cause: unknown) =>
  new Failure("interrupted", "Interrupted; what was begun at AWS goes on", "", { cause });

/** Whatever was thrown, as a Failure. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  if (thrown instanceof Error && thrown.name === "AbortError") return interrupted(thrown);
  if (thrown instanceof RotationError) return new Failure("refused", thrown.what, adviceOn(thrown), { cause: thrown });
  return new Failure(
    "unexpected",
    `Nobody foresaw this: ${reasonOf(thrown).replace(/\.$/, "")}`,
    "Please report it as a bug, with what --debug shows.",
    { cause: thrown },
  );
}

/**
 * Does what comes after a change: whatever fails then says what was changed.
 *
 * @param changed one sentence without its full stop; empty where nothing was
 * @param next what is to be done then, where that is known better here
 */
export async function after<T>(changed: string, work: () => Promise<T>, next?: string): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (changed === "") throw failure;
    throw new Failure(failure.ending, `${failure.what}. ${changed}`, next ?? failure.next, { cause: thrown });
  }
}

const fromHere =
  "Run this where the database is reached, e.g. in its VPC, by the host and port of the secret: its certificate must be of that host.";

/** To a person at a shell, where an engine's advice is to who has deployed a function. */
const advice: Partial<Record<ErrorCode, string>> = {
  unreachable: fromHere,
  timeout: fromHere,
  busy: "Try again in a minute; if it stays so, look for who holds the server's connections.",
};

const ofAuthority =
  "Here set NODE_EXTRA_CA_CERTS to a file with the authority's certificate (PEM); for a function add that file in a layer and set the same variable to its path.";

/** How the engines begin what they advise on a statement that got no answer, which is after a login. */
const onStatement = /^(The (statement|command) may or may not|No answer came in time|Another session may hold)/;

/** What to do about what an engine says. */
export function adviceOn({ code, advice: engines }: RotationError): string {
  if (onStatement.test(engines)) {
    return "The server was reached: see whether another session holds what this needs, or the server was restarted; then run the same command again.";
  }
  if (/NODE_EXTRA_CA_CERTS/.test(engines)) return ofAuthority;
  return advice[code] ?? engines.replace(/^This (try|login) changed nothing\. /, "");
}
