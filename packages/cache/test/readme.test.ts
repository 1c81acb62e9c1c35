import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

it("the README shows the examples that run", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8");
  const shown = [...read("README.md").matchAll(/<!-- (\S+) -->\n```ts\n(.*?)```/gs)];
  expect(shown.map(([, path]) => path)).toEqual([
    "examples/get.ts",
    "examples/database-secret.ts",
    "examples/pg-query.ts",
    "examples/pg-pool.ts",
    "examples/mysql2-pool.ts",
    "examples/mongo-client.ts",
  ]);
  for (const [, path = "", text] of shown) expect(text).toBe(read(path));
});
