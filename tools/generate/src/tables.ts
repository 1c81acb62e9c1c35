import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { coreSettingList, type Manifest, type Permission, type RotatorManifest, type Setting } from "@quarterturn/core";
import { databaseSettingList } from "@quarterturn/database";

const root = new URL("../../..", import.meta.url).pathname;

/**
 * Every Markdown file in which a table stands between `<!-- generated: NAME -->` and `<!-- end -->`, with the tables as the manifests have
 * them now.
 */
export async function pagesWithTables(): Promise<readonly { path: string; current: string; generated: string }[]> {
  const pages = [];
  for await (const path of glob(["README.md", "docs/*.md", "packages/*/README.md", "packages/*/examples/*/README.md"], {
    cwd: root,
  })) {
    const current = await readFile(join(root, path), "utf8");
    let generated = current;
    for (const [whole, name = ""] of current.matchAll(/<!-- generated: ([\w-]+) -->[\s\S]*?<!-- end -->/g)) {
      generated = generated.replace(whole, () => `<!-- generated: ${name} -->\n`);
      generated = generated.replace(`<!-- generated: ${name} -->\n`, await marked(name, path));
    }
    if (current.includes("<!-- generated: ")) pages.push({ path: join(root, path), current, generated });
  }
  return pages;
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
  packages: async () => {
    const rows: [string, string][] = [];
    for await (const path of glob("packages/*/package.json", { cwd: root })) {
      const { name, description } = JSON.parse(await readFile(join(root, path), "utf8")) as {
        name: string;
        description: string;
      };
      rows.push([`[${name}](${path.replace("/package.json", "")})`, description]);
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
    if (!("excludeCharacters" in manifest)) return settingsTable([...manifest.settings, ...settingsWithoutWindow]);
    const ofEngine = (setting: Setting) =>
      setting.name === "EXCLUDE_CHARACTERS" ? { ...setting, absent: "the engine's, see above" } : setting;
    return settingsTable([...manifest.settings, ...databaseSettingList, ...coreSettingList.map(ofEngine)]);
  },
  "template-settings": async (path) => {
    const { settingList } = (await import(join(root, path.replace("README.md", "src/settings.ts")))) as {
      settingList: readonly Setting[];
    };
    return settingsTable([...settingList, ...settingsWithoutWindow]);
  },
  permissions: async (path) => permissionsTable((await manifestOf(path)).permissions),
  "template-permissions": async () => permissionsTable(),
  "verified-against": async (path) => (await manifestOf(path)).verifiedAgainst.map((line) => `- ${line}`).join("\n"),
};

/** The strategies of @quarterturn/template have no moment at which logins are refused, which EARLY_PROMOTION could shorten. */
const settingsWithoutWindow = coreSettingList.filter(({ name }) => name !== "EARLY_PROMOTION");

async function manifestOf(path: string): Promise<Manifest | RotatorManifest> {
  const { manifest } = (await import(join(root, path.replace("README.md", "src/manifest.ts")))) as {
    manifest: Manifest | RotatorManifest;
  };
  return manifest;
}

const code = (text: string) => `\`${text}\``;

function settingsTable(settings: readonly Setting[]): string {
  return table(
    ["variable", "if it is not set", "meaning"],
    settings.map(({ name, absent, meaning }) => [code(name), absent, meaning]),
  );
}

/** What the role of every function must allow, and what the manifest adds. */
function permissionsTable(permissions: readonly Permission[] = []): string {
  const manager = "secretsmanager:secret";
  const key = { service: "kms", resources: ["the key"] };
  const all: readonly Permission[] = [
    {
      service: "secretsmanager",
      operations: ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"],
      resources: [`${manager}:NAME-??????`],
      why: "The secret.",
    },
    { ...key, operations: ["Decrypt", "GenerateDataKey"], why: "A secret that is encrypted with a key of your own." },
    {
      service: "secretsmanager",
      operations: ["DescribeSecret", "GetSecretValue"],
      resources: [`${manager}:ADMIN-NAME-??????`],
      why: "The admin's secret, and its tags where the database manages it.",
      strategy: "multi-user",
    },
    {
      ...key,
      operations: ["Decrypt"],
      why: "An admin's secret that is encrypted with a key of your own.",
      strategy: "multi-user",
    },
    ...permissions,
  ];
  return table(
    ["actions", "on", "for"],
    all.map(({ service, operations, resources = ["*"], condition, why, strategy, setting }) => [
      operations.map((operation) => code(`${service}:${operation}`)).join(", "),
      resources.map((each) => (each === "the key" ? each : code(each))).join(", ") +
        (condition ? `, if ${code(JSON.stringify(condition))}` : ""),
      [
        ...(strategy ? [`${strategy.replace(/^./, (letter) => letter.toUpperCase())}: `] : []),
        ...(setting ? [`${code(`${setting.name}=${setting.value}`)}: `] : []),
        why,
      ].join(""),
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
