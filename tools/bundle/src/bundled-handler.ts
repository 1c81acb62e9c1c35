import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll } from "vitest";
import { bundleJavaScript } from "./javascript.ts";

/**
 * Bundles a handler for the test file that calls this, from its sources as they are now, and removes the bundle after the file's last test.
 * So what is judged is what is deployed; and a process loads it in half the time that the sources take.
 *
 * @param entry the source file that exports `handler`
 * @returns where the bundle is, alone in its folder as in Lambda
 */
export async function bundledHandler(entry: URL): Promise<URL> {
  const { files } = await bundleJavaScript(fileURLToPath(entry));
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-handler-"));
  afterAll(() => rm(folder, { recursive: true }));
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  return pathToFileURL(join(folder, "index.js"));
}
