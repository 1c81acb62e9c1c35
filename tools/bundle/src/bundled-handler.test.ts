import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { bundledHandler } from "./bundled-handler.ts";

const bundles: URL[] = [];
// What is registered first runs last.
afterAll(() => expect(bundles.filter((url) => existsSync(fileURLToPath(url)))).toEqual([]));

const folder = await mkdtemp(join(tmpdir(), "quarterturn-source-"));
afterAll(() => rm(folder, { recursive: true }));
const source = join(folder, "handler.ts");
for (const answer of ["first", "second"]) {
  await writeFile(source, `export const handler = async (): Promise<string> => ${JSON.stringify(answer)};`);
  bundles.push(await bundledHandler(pathToFileURL(source)));
}

it("is bundled anew from the source as it is at that moment", async () => {
  const answers = bundles.map(async (url) => ((await import(url.href)) as { handler(): Promise<string> }).handler());
  expect(await Promise.all(answers)).toEqual(["first", "second"]);
});
