import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { linesThatSayNotYet } from "../src/git.ts";

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

test("whatever a page says of what is not published yet is found before a release", async () => {
  const words = ["grep", "-niE", "npm|application repository|publish", "--", "*.md", ":!.changeset", ":!*CHANGELOG.md"];
  const { stdout } = await promisify(execFile)("git", words, { maxBuffer: 10_000_000 });
  const lines = stdout
    .split("\n")
    .filter((line) => /\b(nothing|not|neither|until|once)\b.*\b(yet|published)\b/i.test(line));
  const found = await linesThatSayNotYet();
  expect(lines.filter((line) => !found.includes(line))).toEqual([]);
});
