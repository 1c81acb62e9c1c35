/** What leads from one set of grants to another. Each is in one list at most. */
export interface Difference<T> {
  /** Not wanted at all. */
  readonly revoked: readonly T[];
  /** Wanted, but not WITH GRANT OPTION. */
  readonly reduced: readonly T[];
  /** Missing, or wanted WITH GRANT OPTION. */
  readonly added: readonly T[];
}

/**
 * Compares two sets of grants. What a set has twice, once with the option and once without, counts as with it.
 *
 * @param keyOf what a grant is, apart from its option
 */
export function difference<T extends { readonly isGrantable: boolean }>(
  wanted: readonly T[],
  existing: readonly T[],
  keyOf: (grant: T) => string,
): Difference<T> {
  const want = keyed(wanted, keyOf);
  const have = keyed(existing, keyOf);
  const had = (grant: T) => have.get(keyOf(grant))?.isGrantable;
  return {
    revoked: [...have.values()].filter((grant) => !want.has(keyOf(grant))),
    reduced: [...want.values()].filter((grant) => !grant.isGrantable && had(grant) === true),
    added: [...want.values()].filter((grant) => had(grant) === undefined || (grant.isGrantable && !had(grant))),
  };
}

function keyed<T extends { readonly isGrantable: boolean }>(
  grants: readonly T[],
  keyOf: (grant: T) => string,
): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const grant of grants) {
    if (grant.isGrantable || !map.has(keyOf(grant))) map.set(keyOf(grant), grant);
  }
  return map;
}

/** Statements, and how many grants they are about. */
export interface Change {
  /** What is too much goes first, since a privilege cannot be held on a table and on its columns at once. */
  readonly revocations: readonly string[];
  readonly grants: readonly string[];
  readonly differences: number;
}
