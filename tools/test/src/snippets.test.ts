import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = new URL("../../..", import.meta.url).pathname;

/** Its examples are files of one package: tools/new-rotator compiles them together. */
const pageOfFiles = "writing-a-rotator.md";

/** Markdown files that users read, with their TypeScript examples. */
async function snippets(): Promise<{ from: string; code: string }[]> {
  const packages = (await readdir(join(root, "packages"))).map((name) => `packages/${name}/README.md`);
  const docs = (await readdir(join(root, "docs"), { recursive: true }))
    .filter((name) => name.endsWith(".md") && name !== pageOfFiles)
    .map((name) => `docs/${name}`);
  const pages = await Promise.all(
    ["README.md", "CONTRIBUTING.md", ...packages, ...docs].map(async (from) => ({
      from,
      text: await readFile(join(root, from), "utf8"),
    })),
  );
  return pages.flatMap(({ from, text }) =>
    [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
      .map((match) => ({ from, code: besideExamples(from, match[1] ?? "") }))
      // tools/docs judges these with the CDK, which is not installed here.
      .filter(({ code }) => !code.includes('from "aws-cdk-lib')),
  );
}

/** A file that an example imports is one of its package's examples. */
const besideExamples = (from: string, code: string) =>
  code.replaceAll(/(?<=from ")\.(?=\/[\w-]+\.ts")/g, `../../${dirname(from)}/examples`);

test("every TypeScript example in the READMEs and docs compiles", async () => {
  const folder = join(root, "build/snippets");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const all = await snippets();
  expect(all.length).toBeGreaterThan(3);
  await Promise.all(
    all.map(({ from, code }, i) =>
      writeFile(join(folder, `${from.replaceAll(/\W/g, "-")}-${i}.ts`), `${code}\nexport {};\n`),
    ),
  );
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ["*.ts"],
    }),
  );
  const { stdout } = await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", folder]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});
