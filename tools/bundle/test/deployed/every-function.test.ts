import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { expect, it, vi } from "vitest";
import { lambdaFunctions } from "../../src/index.ts";

const deployed = vi.hoisted((): string[] => []);
vi.mock("./functions.ts", () => ({
  deployedFunctions: async (names: readonly string[]) => deployed.push(...names),
}));

it("every function is unpacked and run, by its name, in one of the tests beside this one", async () => {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith(".test.ts"));
  const tests = files.map((file) => basename(file, ".test.ts")).filter((name) => name !== "every-function");
  for (const name of tests) await import(`./${name}.test.ts`);
  const functions = (await lambdaFunctions()).map(({ name }) => name);
  expect(functions.length).toBeGreaterThanOrEqual(10);
  expect(deployed.sort()).toEqual(functions.sort());
});
