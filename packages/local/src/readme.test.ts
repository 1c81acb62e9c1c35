import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const EXAMPLES = ["examples/rotate.ts", "examples/redshift-data.ts"];

it("the README shows the examples that run", () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const shown = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text);
  expect(shown).toEqual(EXAMPLES.map((path) => readFileSync(join(PACKAGE, path), "utf8")));
});

it.each([
  [EXAMPLES[0], /RotationSucceeded\nsecond\n$/],
  [EXAMPLES[1], /^app\n$/],
])("%s does what it says", async (path, output) => {
  const flags = ["--conditions=@quarterturn/source", join(PACKAGE, path ?? "")];
  expect((await promisify(execFile)(process.execPath, flags)).stdout).toMatch(output);
});
