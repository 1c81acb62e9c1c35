/**
 * The rows that can be judged. The others are reported with the reason, since a suite that leaves something out without a word seems to
 * have proved it.
 *
 * @param whyNot undefined where the row can be judged
 */
export function judged<Row>(
  rows: readonly Row[],
  named: (row: Row) => string,
  whyNot: (row: Row) => string | undefined,
  report: (figure: string) => void,
): readonly Row[] {
  const leftOut = Map.groupBy(
    rows.filter((row) => whyNot(row) !== undefined),
    whyNot,
  );
  for (const [reason, group] of leftOut) report(`not judged (${reason}): ${group.map(named).join("; ")}`);
  return rows.filter((row) => whyNot(row) === undefined);
}

/** Why a row about a key of the secret cannot be judged. */
export function lacks(keys: ReadonlySet<string>, key: string | undefined): string | undefined {
  return key === undefined || keys.has(key) ? undefined : `the secret has no ${key}`;
}
