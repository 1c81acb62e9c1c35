/** `npm run generate`: renews what is made from the manifests: the tables and versions of the READMEs and docs, and the SAM templates. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { leftoverTemplates, samPages } from "@quarterturn-tools/sam";
import { generatedPages } from "./tables.ts";

const help = `\
npm run generate

Renews what is made from the manifests of the packages: the SAM templates and
their READMEs, the tables in other READMEs and docs, between
<!-- generated: NAME --> and <!-- end -->, and the versions of the applications
that docs/deploying names. Says which files it changed.`;

try {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await renew();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function renew(): Promise<void> {
  for (const { path, generated } of [...(await generatedPages()), ...(await samPages())]) {
    const current = await readFile(path, "utf8").catch(missing);
    if (current === generated) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, generated);
    console.log(`renewed ${path}`);
  }
  for (const folder of await leftoverTemplates())
    console.log(`no rotator has ${folder}: remove it, or the tests will complain`);
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
