import type { Facts } from "./facts.ts";

/** What a check found. */
export type Finding =
  /** @param fix what would be better still @param list things that were found, one line each */
  | { readonly is: "pass"; readonly what: string; readonly fix?: string; readonly list?: readonly string[] }
  | { readonly is: "fail"; readonly what: string; readonly fix: string; readonly list?: readonly string[] }
  /** @param what why nobody can say */
  | { readonly is: "not known"; readonly what: string; readonly fix?: string }
  /** @param what why it would say nothing */
  | { readonly is: "not looked at"; readonly what: string };

/** One question about a secret's rotation, answered from facts that were gathered before. */
export interface Check {
  /** e.g. `function` */
  readonly name: string;
  /** Why it is nothing to this secret; undefined where it is. */
  moot?(facts: Facts): string | undefined;
  /** Those without which this one says nothing: they come before it. */
  readonly needs?: readonly Check[];
  look(facts: Facts): Finding;
}

export const pass = (what: string, fix?: string): Finding => ({ is: "pass", what, ...(fix !== undefined && { fix }) });
export const fail = (what: string, fix: string): Finding => ({ is: "fail", what, fix });
export const notKnown = (what: string, fix?: string): Finding => ({
  is: "not known",
  what,
  ...(fix !== undefined && { fix }),
});
export const notLookedAt = (what: string): Finding => ({ is: "not looked at", what });

export type Examined = Finding & { readonly check: string };

/** Looks with each check in its turn; one whose needs have not passed is not looked at. */
export function examine(checks: readonly Check[], facts: Facts): readonly Examined[] {
  const passed = new Set<Check>();
  return checks.map((check) => {
    const lacking = check.needs?.find((need) => !passed.has(need));
    const moot = check.moot?.(facts);
    const finding =
      moot !== undefined
        ? notLookedAt(moot)
        : lacking
          ? notLookedAt(`it takes that "${lacking.name}" passes`)
          : check.look(facts);
    if (finding.is === "pass") passed.add(check);
    return { check: check.name, ...finding };
  });
}
