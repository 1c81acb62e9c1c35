import { expect, test } from "vitest";
import { measureCaches } from "../src/secret-cache/measure.ts";

test("the caches are measured with the calls that they really make", { timeout: 180_000 }, async () => {
  const { ours, python, calls } = await measureCaches({ secrets: 2, gets: 1_000 });
  expect(calls).toEqual({ ours: 1, python: 2 });
  for (const figures of [ours, python]) {
    expect(figures).toEqual({
      first: expect.any(Number),
      one: expect.any(Number),
      parsed: expect.any(Number),
      many: expect.any(Number),
    });
    expect(figures.first).toBeGreaterThan(figures.one);
  }
});
