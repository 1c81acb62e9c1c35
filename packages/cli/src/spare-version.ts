import { AWSCURRENT, versionWith } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { tryVersion, type Verdict, wordsOf } from "./login.ts";
import type { Secret } from "./secret.ts";

/**
 * Finds out, by logging in, whether a version may lose its label: without one nobody finds it but by its id, and the service may delete it.
 *
 * @param force goes past a database that cannot be asked about AWSCURRENT
 * @returns what was seen of both versions, and why not, where the database accepts this one and not AWSCURRENT
 * @throws Failure where nobody can say, or neither works
 */
export async function trySpare(
  context: Context,
  secret: Secret,
  label: string,
  id: string,
  { force }: { readonly force?: boolean },
): Promise<{ readonly seen: string; readonly refusal?: Failure }> {
  const ofIt = await tryVersion(context, secret, id);
  // Without a value it is nobody's password.
  if (ofIt.is === "no value") return { seen: `${label} ${wordsOf(ofIt)}` };
  const current = versionWith(secret.versions, AWSCURRENT);
  const ofCurrent: Verdict = current === undefined ? { is: "no value" } : await tryVersion(context, secret, current);
  const seen = `${AWSCURRENT} ${wordsOf(ofCurrent)}; ${label} ${wordsOf(ofIt)}`;
  const refuse = (next: string) =>
    new Failure("refused", `${label} of "${secret.name}" was not taken off. ${seen}`, next);
  if (ofCurrent.is === "accepted") return { seen };
  if (ofIt.is === "accepted") {
    const next = `${label} is the value that works: ${context.next("stage", secret.id, AWSCURRENT, id)}`;
    return { seen, refusal: refuse(next) };
  }
  if (ofCurrent.is !== "unknown") throw refuse(`See which version does: ${context.next("recover", secret.id)}.`);
  if (force) return { seen };
  throw refuse("Correct that, or repeat the command with --force.");
}

/** @returns what was seen @throws Failure where it may not lose its label */
export async function requireSpare(...question: Parameters<typeof trySpare>): Promise<string> {
  const { seen, refusal } = await trySpare(...question);
  if (refusal) throw refusal;
  return seen;
}
