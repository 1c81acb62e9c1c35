/** One try of the application to log in: it reads the secret's AWSCURRENT and connects with that. */
export interface Attempt {
  /** When it began, before the secret was read: milliseconds since 1970, with fractions. */
  readonly at: number;
  readonly outcome: "accepted" | "refused";
}

/**
 * How long the application is refused, in milliseconds: from the beginning of the first refused attempt to the beginning of the first
 * accepted one after the last refused. 0 where none is refused. As precise as the attempts are dense.
 *
 * @param attempts in order, the last one accepted
 */
export function refusedWindow(attempts: readonly Attempt[]): number {
  const first = attempts.find(({ outcome }) => outcome === "refused");
  if (first === undefined) return 0;
  const last = attempts.findLastIndex(({ outcome }) => outcome === "refused");
  const next = attempts[last + 1];
  if (next === undefined) throw new RangeError("The window has no end yet.");
  return next.at - first.at;
}
