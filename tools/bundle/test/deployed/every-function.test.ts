import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { lambdaFunctions } from "../../src/index.ts";

it("every function is deployed in a test of its package", async () => {
  const tested = await readdir(new URL(".", import.meta.url));
  const functions = await lambdaFunctions();
  expect(functions.length).toBeGreaterThanOrEqual(8);
  for (const { name, strategy } of functions)
    expect(tested).toContain(`${name.slice(0, -strategy.length - 1)}.test.ts`);
});
