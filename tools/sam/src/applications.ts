import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest, RotatorManifest, Setting, Strategy } from "@quarterturn/core";
import { lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import { settingsOf } from "./settings.ts";

/** One application of the Serverless Application Repository: a rotator package's function for one strategy. */
export interface Application {
  /** The name in the repository, e.g. `quarterturn-rds-postgres-single-user`. */
  readonly name: string;
  /** The folder's name here and the bundle's, e.g. `rds-postgres-single-user`. */
  readonly folder: string;
  /** The package's folder, from the repository's root. */
  readonly packageFolder: string;
  /** Its function is an example, to be replaced by whoever deploys it. */
  readonly isExample: boolean;
  readonly manifest: Manifest | RotatorManifest;
  readonly strategy: Strategy;
  /** The package's. */
  readonly version: string;
  readonly license: string;
  readonly homepage: string;
  /** The environment variables that this function reads. */
  readonly settings: readonly Setting[];
}

/** Every application, from the packages' manifests. */
export async function applications(): Promise<readonly Application[]> {
  const { homepage } = await packageJson(workspace);
  return Promise.all(
    (await lambdaFunctions()).map(async ({ name, strategy, packageFolder }) => {
      if (!isStrategy(strategy)) throw new Error(`${name}: ${strategy} is not a strategy that a template is known for`);
      const folder = join(workspace, packageFolder);
      const { version, license } = await packageJson(folder);
      const { manifest } = (await import(join(folder, "src/manifest.ts"))) as { manifest: Manifest | RotatorManifest };
      return {
        name: `quarterturn-${name}`,
        folder: name,
        packageFolder,
        isExample: packageFolder.includes("/examples/"),
        manifest,
        strategy,
        version,
        license,
        homepage,
        settings: settingsOf(manifest).filter((setting) => (setting.strategy ?? strategy) === strategy),
      };
    }),
  );
}

const isStrategy = (text: string): text is Strategy => text === "single-user" || text === "multi-user";

async function packageJson(folder: string): Promise<{ version: string; license: string; homepage: string }> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}
