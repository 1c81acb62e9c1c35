/** `npm run generate`: renews the tables of the READMEs and docs from the manifests. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { pagesWithTables } from "./tables.ts";

const help = `\
npm run generate

Renews the tables in READMEs and docs, between <!-- generated: NAME --> and
<!-- end -->, from the manifests of the packages. Says which files it changed.`;

try {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await renew();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function renew(): Promise<void> {
  for (const { path, current, generated } of await pagesWithTables()) {
    if (current === generated) continue;
    await writeFile(path, generated);
    console.log(`renewed ${path}`);
  }
}
