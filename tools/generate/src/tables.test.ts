import { expect, test } from "vitest";
import { pagesWithTables } from "./tables.ts";

test("the tables of the READMEs and docs are those of the manifests (npm run generate renews them)", async () => {
  const pages = await pagesWithTables();
  expect(pages.length).toBeGreaterThan(1);
  for (const { path, current, generated } of pages) expect(current, path).toBe(generated);
});
