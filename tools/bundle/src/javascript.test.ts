import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleJavaScript } from "./javascript.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Bundles `handler.ts` of these sources. */
async function bundled(name: string, sources: Readonly<Record<string, string>>) {
  for (const [file, code] of Object.entries(sources)) {
    const path = join(folder, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
  return bundleJavaScript(join(folder, name, "handler.ts"));
}

it("a lazily imported file is a file of its own, which is not read before, and shares core with the handler", async () => {
  const { files } = await bundled("shared", {
    "handler.ts": 'export const handler = async () => (await import("./later.ts")).error();',
    "later.ts":
      'import { RotationError } from "@quarterturn/core"; export const error = () => new RotationError("service", "what", "advice");',
  });
  expect([...files.keys()]).toEqual(["index.js", "later.js"]);

  const output = join(folder, "output");
  await mkdir(output);
  await writeFile(join(output, "index.js"), files.get("index.js") ?? "");
  const { handler, RotationError } = createRequire(import.meta.url)(join(output, "index.js"));
  await expect(handler()).rejects.toThrow("later.js");
  await writeFile(join(output, "later.js"), files.get("later.js") ?? "");
  expect(await handler()).toBeInstanceOf(RotationError);
});

it("refuses a lazily imported file that would bring another file of the project a second time", async () => {
  await expect(
    bundled("twice", {
      "handler.ts": 'import "./state.ts"; export const handler = () => import("./later.ts");',
      "later.ts": 'export { state } from "./state.ts";',
      "state.ts": "export const state = new Map();",
    }),
  ).rejects.toThrow(
    /later\.ts is loaded lazily: of this project it can import @quarterturn\/core only, and not .*state\.ts/,
  );
});

it("refuses two lazily imported files of one name", async () => {
  await expect(
    bundled("names", {
      "handler.ts": 'export const handler = () => [import("./a/later.ts"), import("./b/later.ts")];',
      "a/later.ts": "export const a = 1;",
      "b/later.ts": "export const b = 2;",
    }),
  ).rejects.toThrow("would become later.js, which exists already");
});
