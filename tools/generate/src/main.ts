/** `npm run generate`: renews the tables of the READMEs and docs from the manifests. */
import { writeFile } from "node:fs/promises";
import { pagesWithTables } from "./tables.ts";

for (const { path, current, generated } of await pagesWithTables()) {
  if (current === generated) continue;
  await writeFile(path, generated);
  console.log(`renewed ${path}`);
}
