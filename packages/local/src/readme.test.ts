import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const EXAMPLE = join(PACKAGE, "examples/rotate.ts");

it("the README shows the example that runs", () => {
  const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
  expect(/```ts\n(.*?)```/s.exec(readme)?.[1]).toBe(readFileSync(EXAMPLE, "utf8"));
});

it("the example rotates a secret", async () => {
  const flags = ["--conditions=@quarterturn/source", EXAMPLE];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  expect(stdout).toMatch(/RotationSucceeded\nsecond\n$/);
});
