import { readFile } from "node:fs/promises";
import { leftoverTemplates, samPages } from "@quarterturn-tools/sam";
import { expect, test } from "vitest";
import { generatedPages } from "./tables.ts";

test("the tables and versions of the READMEs and docs are those of the manifests (npm run generate renews them)", async () => {
  const pages = await generatedPages();
  expect(pages.length).toBeGreaterThan(1);
  for (const { path, current, generated } of pages) expect(current, path).toBe(generated);
});

test("the SAM templates are those of the manifests, and there is no other (npm run generate renews them)", async () => {
  const pages = await samPages();
  expect(pages.length).toBeGreaterThan(1);
  for (const { path, generated } of pages) expect(await readFile(path, "utf8"), path).toBe(generated);
  expect(await leftoverTemplates()).toEqual([]);
});
