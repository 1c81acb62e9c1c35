import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { workspace } from "@quarterturn-tools/bundle";
import { applications } from "./applications.ts";
import { readmeOf } from "./readme.ts";
import { templateOf } from "./template.ts";

/** Every generated file of sam-templates/, as the manifests have it now. */
export async function samPages(): Promise<readonly { readonly path: string; readonly generated: string }[]> {
  return (await applications()).flatMap((application) => {
    const folder = join(workspace, "sam-templates", application.folder);
    return [
      { path: join(folder, "template.yaml"), generated: templateOf(application) },
      { path: join(folder, "README.md"), generated: readmeOf(application) },
    ];
  });
}

/** The folders of sam-templates/ that are of no application any more. */
export async function leftoverTemplates(): Promise<readonly string[]> {
  const known = new Set((await applications()).map(({ folder }) => folder));
  const found = await readdir(join(workspace, "sam-templates"), { withFileTypes: true });
  return found
    .filter((each) => each.isDirectory() && !known.has(each.name))
    .map(({ name }) => join("sam-templates", name));
}
