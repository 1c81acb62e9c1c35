import { access } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { workspace } from "@quarterturn-tools/bundle";
import { expect, test } from "vitest";
import { anchorsOf, linksOf, pages, snippetsOf } from "./pages.ts";

const all = await pages();

/** What judges the fenced blocks of a language; those of pages that another test writes or runs. */
const judges: Readonly<Record<string, string>> = {
  sh: "tools/docs/test/commands.test.ts",
  json: "tools/docs/test/snippets.test.ts",
  yaml: "tools/docs/test/snippets.test.ts",
  hcl: "tools/docs/test/snippets.test.ts",
  ts: "tools/test/src/snippets.test.ts",
};
const exceptions: Readonly<Record<string, string>> = {
  "README.md": "shows what the demo prints",
  "docs/labels.md mermaid": "packages/core/src/labels.test.ts writes it",
  "packages/cli/README.md": "shows what the commands print, as their tests do",
  "packages/rds-mysql/README.md sql": "packages/rds-mysql/test grants these rights to its admins",
};

/** Applications' pages are read elsewhere, and name this repository's pages by their address. */
const inMain = /^https:\/\/github\.com\/quarterturn\/quarterturn\/(?:tree|blob)\/main\/(.*)$/;

test("every link to a file leads to one, and every link to a heading too", async () => {
  const broken: string[] = [];
  let checked = 0;
  for (const page of all) {
    for (const link of linksOf(page)) {
      const inRepository = inMain.exec(link)?.[1];
      if (inRepository === undefined && /^[a-z]+:/.test(link)) continue;
      checked++;
      const [file = "", anchor] = (inRepository ?? link).split("#");
      const folder = inRepository === undefined ? dirname(page.path) : ".";
      const path = file === "" ? page.path : normalize(join(folder, file));
      const exists = await access(join(workspace, path)).then(
        () => true,
        () => false,
      );
      const target = all.find((each) => each.path === path || each.path === join(path, "README.md"));
      if (!exists || (anchor !== undefined && !(target && anchorsOf(target).has(anchor))))
        broken.push(`${page.path}: ${link}`);
    }
  }
  expect(broken).toEqual([]);
  expect(checked).toBeGreaterThan(100);
});

test("every fenced block is of a language that a test judges", () => {
  const unjudged = all
    .flatMap(snippetsOf)
    .filter(({ page, language }) => !(language in judges) && !(`${page} ${language}`.trim() in exceptions))
    .map(({ page, line, language }) => `${page}:${line}: "${language}"`);
  expect(unjudged).toEqual([]);
});
