import { glob, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Manifest, RotatorManifest, Setting, Strategy } from "@quarterturn/core";
import {
  type Application,
  applications,
  code,
  roleTable,
  settingsOf,
  settingsWithoutWindow,
  table,
} from "@quarterturn-tools/sam";
import { engineRows, rolePolicies } from "./policies.ts";

/** An example's function is there to be replaced. */
const titleOf = ({ manifest, isExample }: Application) =>
  isExample ? "any other service, with code of yours" : manifest.title;

const root = new URL("../../..", import.meta.url).pathname;

const pages = [
  "README.md",
  "docs/*.md",
  "docs/deploying/*.md",
  "packages/*/README.md",
  "packages/*/examples/*/README.md",
  "sam-templates/README.md",
];

/**
 * Every Markdown file with what is made from the manifests as they are now: the tables between `<!-- generated: NAME -->` and `<!-- end -->`,
 * and the version after the ARN of an application.
 */
export async function generatedPages(): Promise<readonly { path: string; current: string; generated: string }[]> {
  const found = [];
  for await (const path of glob(pages, { cwd: root })) {
    const current = await readFile(join(root, path), "utf8");
    let generated = await withVersions(current);
    for (const [whole, name = ""] of current.matchAll(/<!-- generated: ([\w-]+) -->[\s\S]*?<!-- end -->/g)) {
      const table = await marked(name, path);
      generated = generated.replace(whole, () => table);
    }
    found.push({ path: join(root, path), current, generated });
  }
  return found;
}

/** The text with each application's own version in the SAM, CDK and Terraform snippets that deploy it. */
async function withVersions(text: string): Promise<string> {
  const versions = new Map((await applications()).map(({ name, version }) => [name, version]));
  return text.replaceAll(
    /(:applications\/([\w-]+)"?,?\s+semantic_?version\s*[:=]\s*"?)([\w.-]+)/gi,
    (_, before: string, name: string, version: string) => before + (versions.get(name) ?? version),
  );
}

async function marked(name: string, path: string): Promise<string> {
  const write = tables[name];
  if (!write)
    throw new Error(
      `${path} asks for a table "${name}", which tools/generate does not know: ${Object.keys(tables).join(", ")}`,
    );
  return `<!-- generated: ${name} -->\n\n${await write(path)}\n\n<!-- end -->`;
}

const tables: Readonly<Record<string, (path: string) => Promise<string>>> = {
  packages: async (page) => {
    const rows: [string, string][] = [];
    for await (const path of glob("packages/*/package.json", { cwd: root })) {
      const { name, description } = JSON.parse(await readFile(join(root, path), "utf8")) as {
        name: string;
        description: string;
      };
      rows.push([`[${name}](${relative(dirname(page), dirname(path))})`, description]);
    }
    return table(["package", "what it is"], rows.sort());
  },
  facts: async (path) => {
    const manifest = (await manifestOf(path)) as Manifest;
    return table(
      ["", ""],
      [
        ["`engine` in the secret", `${manifest.engines.map(code).join(" or ")}, or absent`],
        ...(manifest.secretKeys ?? []).map(({ name, absent, meaning }) => [
          `${code(name)} in the secret`,
          `${meaning} If it is absent: ${absent}.`,
        ]),
        ["default port", String(manifest.port)],
        ["default database", manifest.dbname ?? "none"],
        ["characters that a password does not hold", code(manifest.excludeCharacters)],
        [
          "longest user name, the twin's included",
          manifest.usernameLimit === undefined ? "no limit" : `${manifest.usernameLimit} bytes`,
        ],
      ],
    );
  },
  settings: async (path) => {
    const manifest = await manifestOf(path);
    const ofEngine = (setting: Setting) =>
      setting.name === "EXCLUDE_CHARACTERS" ? { ...setting, absent: "the engine's, see above" } : setting;
    return settingsTable("excludeCharacters" in manifest ? settingsOf(manifest).map(ofEngine) : settingsOf(manifest));
  },
  "template-settings": async (path) => {
    const { settingList } = (await import(join(root, path.replace("README.md", "src/settings.ts")))) as {
      settingList: readonly Setting[];
    };
    return settingsTable([...settingList, ...settingsWithoutWindow]);
  },
  "policy-single-user": () => rolePolicies("single-user"),
  "policy-multi-user": () => rolePolicies("multi-user"),
  "policy-engines": async () => table(["engine", "actions", "on", "what needs it"], await engineRows()),
  applications: async (path) => {
    const all = await applications();
    const of = (title: string, strategy: Strategy) =>
      all
        .filter((each) => each.strategy === strategy && titleOf(each) === title)
        .map(({ name, folder }) => `[${name}](${relative(dirname(path), `sam-templates/${folder}`)})`)
        .join(", ");
    const titles = [...new Set(all.map(titleOf))];
    return table(
      ["", "the user changes its own password", "an admin alternates between two users"],
      titles.map((title) => [title, of(title, "single-user"), of(title, "multi-user")]),
    );
  },
  permissions: async (path) =>
    roleTable((await applications()).filter(({ packageFolder }) => packageFolder === dirname(path))),
  "template-permissions": async () => roleTable((await applications()).filter(({ isExample }) => isExample)),
  "verified-against": async (path) => (await manifestOf(path)).verifiedAgainst.map((line) => `- ${line}`).join("\n"),
};

async function manifestOf(path: string): Promise<Manifest | RotatorManifest> {
  const { manifest } = (await import(join(root, path.replace("README.md", "src/manifest.ts")))) as {
    manifest: Manifest | RotatorManifest;
  };
  return manifest;
}

function settingsTable(settings: readonly Setting[]): string {
  return table(
    ["variable", "if it is not set", "meaning"],
    settings.map(({ name, absent, meaning }) => [code(name), absent, meaning]),
  );
}
