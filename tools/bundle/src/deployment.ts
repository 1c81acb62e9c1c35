import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";

/** A function's archive, unpacked where nothing else is: no package.json, and no node_modules above it. */
export interface Deployment extends AsyncDisposable {
  readonly folder: string;
}

export async function deploy(zipFile: string): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-lambda-"));
  for (const [name, bytes] of Object.entries(unzipSync(await readFile(zipFile))))
    await writeFile(join(folder, name), bytes);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
