import { AWSCURRENT, versionWith } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { tryVersion, type Verdict, wordsOf } from "./login.ts";
import { type Secret, toRecover } from "./secret.ts";

/** What logging in says of a version that is to lose its label: without one nobody finds it but by its id, and the service may delete it. */
export interface Spareness {
  /**
   * `spare`: AWSCURRENT logs in, or this has no value that could be lost. `needed`: this logs in, and AWSCURRENT does not. `neither works`:
   * the database refuses both. `perhaps needed`: it refuses AWSCURRENT, and this could not be tried. `unknown`: AWSCURRENT could not be tried.
   */
  readonly is: "spare" | "needed" | "neither works" | "perhaps needed" | "unknown";
  /** What was seen of both. */
  readonly seen: string;
  /** What to do where it is not spare. */
  readonly next: string;
}

/** Finds out, by logging in, whether a version may lose its label. */
export async function trySpare(context: Context, secret: Secret, label: string, id: string): Promise<Spareness> {
  const ofIt = await tryVersion(context, secret, id);
  // Without a value it is nobody's password.
  if (ofIt.is === "no value") return { is: "spare", seen: `${label} ${wordsOf(ofIt)}`, next: "" };
  const current = versionWith(secret.versions, AWSCURRENT);
  const ofCurrent: Verdict = current === undefined ? { is: "no value" } : await tryVersion(context, secret, current);
  const seen = `${AWSCURRENT} ${wordsOf(ofCurrent)}; ${label} ${wordsOf(ofIt)}`;
  if (ofCurrent.is === "accepted") return { is: "spare", seen, next: "" };
  if (ofIt.is === "accepted") {
    const next = `${label} is the value that works: ${context.next("stage", secret.id, AWSCURRENT, id)}`;
    return { is: "needed", seen, next };
  }
  if (ofCurrent.is === "unknown") return { is: "unknown", seen, next: correctOrForce };
  const next = `See which version does: ${toRecover(context.next, secret)}.`;
  return { is: ofIt.is === "refused" ? "neither works" : "perhaps needed", seen, next };
}

const correctOrForce = "Correct that, or repeat the command with --force.";

interface Flags {
  /** Goes past a database that cannot be asked about AWSCURRENT. */
  readonly force?: boolean;
}

/** Why a version may not lose its label; undefined where it may. */
export function whyKept({ is, seen, next }: Spareness, undone: string, { force }: Flags): Failure | undefined {
  if (is === "spare" || (is === "unknown" && force)) return undefined;
  return new Failure("refused", `${undone}. ${seen}`, next);
}

/** Why a rotation to a version may not be stopped; undefined where it may: where neither value works it leads to nothing. */
export function whyGoesOn({ is, seen, next }: Spareness, undone: string, { force }: Flags): Failure | undefined {
  if (is === "spare" || is === "neither works" || (is !== "needed" && force)) return undefined;
  return new Failure("refused", `${undone}. ${seen}`, is === "needed" ? next : correctOrForce);
}
