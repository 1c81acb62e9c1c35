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
