import { access } from "node:fs/promises";
import { join } from "node:path";
import { workspace } from "@quarterturn-tools/bundle";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { applications } from "./applications.ts";
import { code } from "./markdown.ts";
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
      const path = link.startsWith(application.homepage) ? link.replace(/^.*?\/(tree|blob)\/main\/|#.*/g, "") : ".";
      await access(join(workspace, path));
    }
  });

  test("has a row for every statement of the role, with its condition", () => {
    const rows = page.split("\n");
    for (const { effect, actions, condition = {} } of roleStatements(application)) {
      const start = `| ${effect === "Deny" ? "denied: " : ""}${actions.map(code).join(", ")} |`;
      const keys = Object.values(condition).flatMap((each) => Object.keys(each));
      const row = rows.find((each) => each.startsWith(start) && keys.every((key) => each.includes(code(key))));
      expect(row, `${start} ${keys}`).toBeDefined();
    }
  });

  test("names every output of the template", () => {
    for (const name of Object.keys(parse(templateOf(application)).Outputs)) expect(page).toContain(`\`${name}\``);
  });

  test("says when admin secrets cannot be read, since that is not refused when it is deployed", () => {
    expect(page.includes("stop with `privilege`")).toBe(application.strategy === "multi-user");
  });
});
