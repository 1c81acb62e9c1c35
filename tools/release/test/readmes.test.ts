import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const readme = (name: string) => readFile(new URL(`../../../packages/${name}/README.md`, import.meta.url), "utf8");

test.each(["rds-postgres", "rds-mysql", "documentdb", "redshift", "template"])(
  "the README of %s has what somebody who installs it looks for",
  async (name) => {
    const text = await readme(name);
    expect(text).toContain(`npm install ${name === "template" ? "@quarterturn/core " : ""}@quarterturn/${name}`);
    expect(text).toMatch(/^```ts\n[\s\S]*?^export const handler = rotationHandler\([\s\S]*?^```$/m);
    expect(text).toMatch(/^```json\n\{ "/m);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(
      expect.arrayContaining(["Which strategy", "The secret", "Permissions", "Settings", "Limits", "Verified against"]),
    );
  },
);

test.each(["rds-postgres", "rds-mysql", "documentdb", "redshift"])(
  "the tables of the README of %s come from its manifest",
  async (name) => {
    const tables = [...(await readme(name)).matchAll(/<!-- generated: ([\w-]+) -->/g)].map(([, table]) => table);
    expect(tables).toEqual(["facts", "permissions", "settings", "verified-against"]);
  },
);
