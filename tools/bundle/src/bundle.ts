import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { strToU8 } from "fflate";
import { bundledPackages } from "./bundled-packages.ts";
import { bundleJavaScript, type JavaScript } from "./javascript.ts";
import { type LambdaFunction, lambdaFunctions, workspace } from "./lambda-functions.ts";
import { thirdPartyLicences } from "./licences.ts";
import { sbom } from "./sbom.ts";
import { zip } from "./zip.ts";

/** A function as it is deployed. */
export interface Bundle extends Omit<LambdaFunction, "entry" | "packageFolder">, Pick<JavaScript, "contents"> {
  readonly folder: string;
  readonly handlerFile: string;
  /** Of the handler's file, which is all that a rotation usually loads. */
  readonly bytes: number;
  readonly zipFile: string;
  readonly zipBytes: number;
}

/**
 * Bundles Lambda functions from their sources, each into a folder of its name and a zip archive beside it. The same
 * sources give the same bytes.
 *
 * @param into the folder to write to
 * @param functions default: all of this repository's
 */
export async function bundle(
  into = join(workspace, "build", "lambda"),
  functions?: readonly LambdaFunction[],
): Promise<Bundle[]> {
  return Promise.all((functions ?? (await lambdaFunctions())).map((each) => bundleFunction(each, into)));
}

async function bundleFunction({ name, engine, strategy, entry }: LambdaFunction, into: string): Promise<Bundle> {
  const javaScript = await bundleJavaScript(entry);
  const { contents } = javaScript;
  const files = new Map([...javaScript.files, ...(await documentsOf(name, javaScript))]);
  const folder = join(into, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [file, bytes] of files) await writeFile(join(folder, file), bytes);
  // For whoever loads it where it was written: this repository's own package.json says that .js files are ES modules.
  await writeFile(join(into, "package.json"), '{ "type": "commonjs" }\n');
  const archive = zip(files);
  const zipFile = join(into, `${name}.zip`);
  await writeFile(zipFile, archive);
  return {
    name,
    engine,
    strategy,
    contents,
    folder,
    handlerFile: join(folder, "index.js"),
    bytes: files.get("index.js")?.byteLength ?? 0,
    zipFile,
    zipBytes: archive.byteLength,
  };
}

/** What goes with the code wherever it goes, and so lies beside it in the archive: whose code it is, and under which licences. */
async function documentsOf(name: string, javaScript: JavaScript): Promise<Map<string, Uint8Array>> {
  const bundled = await bundledPackages(javaScript);
  return new Map([
    ["LICENSE", await readFile(join(workspace, "LICENSE"))],
    ["THIRD-PARTY-LICENSES", strToU8(await thirdPartyLicences(bundled.packages))],
    ["sbom.cdx.json", strToU8(sbom(name, bundled))],
  ]);
}
