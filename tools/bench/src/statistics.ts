/** The middle one when ordered by this number; of an even count the upper of two. @throws RangeError where there is none */
export function medianBy<T>(items: readonly T[], value: (item: T) => number): T {
  const ordered = items.toSorted((a, b) => value(a) - value(b));
  const middle = ordered[Math.floor(ordered.length / 2)];
  if (middle === undefined) throw new RangeError("There is no median of nothing.");
  return middle;
}

export const median = (numbers: readonly number[]): number => medianBy(numbers, (number) => number);

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** How much time lies in at least one of the spans. */
export function covered(spans: readonly { readonly startTime: number; readonly duration: number }[]): number {
  let total = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { startTime, duration } of spans.toSorted((a, b) => a.startTime - b.startTime)) {
    const end = startTime + duration;
    total += Math.max(0, end - Math.max(startTime, until));
    until = Math.max(until, end);
  }
  return total;
}
