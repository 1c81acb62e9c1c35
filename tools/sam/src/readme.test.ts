import { access } from "node:fs/promises";
import { join } from "node:path";
import { workspace } from "@quarterturn-tools/bundle";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { applications } from "./applications.ts";
import { readmeOf } from "./readme.ts";
import { roleStatements } from "./role.ts";
import { templateOf } from "./template.ts";

describe.for(await applications())("the page of $folder", (application) => {
  const page = readmeOf(application);

  test("can be read elsewhere: its links are absolute, and those to this repository lead to what is there", async () => {
    const links = [...page.matchAll(/\]\(([^)]*)\)|(https:\/\/[^\s)]*)/g)].map(([, link, bare]) => link ?? bare ?? "");
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      expect(link).toMatch(/^https:\/\//);
      const path = link.startsWith(application.homepage) ? link.replace(/^.*?\/(tree|blob)\/main\//, "") : ".";
      await access(join(workspace, path));
    }
  });

  test("names every action of the role", () => {
    for (const { actions } of roleStatements(application)) {
      for (const action of actions) expect(page).toContain(`\`${action}\``);
    }
  });

  test("names every output of the template", () => {
    for (const name of Object.keys(parse(templateOf(application)).Outputs)) expect(page).toContain(`\`${name}\``);
  });

  test("says when admin secrets cannot be read, since that is not refused when it is deployed", () => {
    expect(page.includes("stop with `privilege`")).toBe(application.strategy === "multi-user");
  });
});
