import fc from "fast-check";
import { expect, it } from "vitest";
import { boundedMap } from "./bounded-map.ts";

it("holds what was most recently got or added, and gives each other entry away once", () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  fc.assert(
    fc.property(fc.array(key, { maxLength: 100, size: "max" }), fc.integer({ min: 1, max: 3 }), (keys, max) => {
      const evicted: string[] = [];
      const map = boundedMap<string>(max, (value) => evicted.push(value));
      const expected: string[] = [];
      let added = 0;
      for (const each of keys) {
        const isThere = map.get(each) !== undefined;
        expect(isThere).toBe(expected.includes(each));
        if (!isThere) {
          map.add(each, each);
          added++;
        }
        expected.splice(0, expected.length, ...[each, ...expected.filter((other) => other !== each)].slice(0, max));
      }
      expect(evicted).toHaveLength(added - expected.length);
    }),
  );
});
