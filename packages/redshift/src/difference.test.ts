import fc from "fast-check";
import { expect, test } from "vitest";
import { difference } from "./difference.ts";

interface Grant {
  readonly what: string;
  readonly isGrantable: boolean;
}
const keyOf = ({ what }: Grant) => what;
const grants = fc.array(fc.record({ what: fc.constantFrom("a", "b", "c", "d", "e"), isGrantable: fc.boolean() }));

/** What a server has: each grant once, with or without its option. */
function asHeld(list: readonly Grant[]): Record<string, boolean> {
  const held: Record<string, boolean> = {};
  for (const { what, isGrantable } of list) held[what] = isGrantable || held[what] === true;
  return held;
}

test("revoking, reducing and adding the difference leads from any grants to any others", () => {
  fc.assert(
    fc.property(grants, grants, (wanted, existing) => {
      const { revoked, reduced, added } = difference(wanted, existing, keyOf);
      const held = asHeld(existing);
      for (const { what } of revoked) delete held[what];
      for (const { what } of reduced) {
        expect(held[what]).toBe(true);
        held[what] = false;
      }
      for (const { what, isGrantable } of added) held[what] = isGrantable || held[what] === true;
      expect(held).toEqual(asHeld(wanted));
    }),
  );
});

test("nothing differs from itself", () => {
  fc.assert(
    fc.property(grants, (list) => {
      expect(difference(list, list, keyOf)).toEqual({ revoked: [], reduced: [], added: [] });
    }),
  );
});
