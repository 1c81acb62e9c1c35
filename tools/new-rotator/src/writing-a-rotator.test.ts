import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { newRotator, workspace } from "./new-rotator.ts";
import { copyWorkspace, runTool } from "./scratch-workspace.ts";

/** A file of the package, as the page shows it. */
const namedBlock = /^`([^`]+)`[^\n]*:\n\n```ts\n(.*?)^```$/gms;

const root = await mkdtemp(join(tmpdir(), "writing-a-rotator-"));
afterAll(() => rm(root, { recursive: true }));
const page = await readFile(join(workspace, "docs/writing-a-rotator.md"), "utf8");
const written = [...page.matchAll(namedBlock)].map(([, path = "", code = ""]) => ({ path, code }));

await copyWorkspace(root);
const imitation = "packages/template/test/imitated-cloudflare.ts";
await cp(join(workspace, imitation), join(root, imitation));
await newRotator("cloudflare", join(root, "packages"));
const commands = /^```sh\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
await promisify(execFile)("sh", ["-ec", commands], { cwd: root });
for (const { path, code } of written) await writeFile(join(root, "packages/cloudflare", path), code);

test("every block of code on the page has its file's name over it", () => {
  expect(written).toHaveLength(page.match(/^```ts$/gm)?.length ?? 0);
});

test("the package of the page passes types and lint", { timeout: 60_000 }, async () => {
  await runTool(root, "tsc", "-p", ".");
  await runTool(root, "biome", "check", "--error-on-warnings", ".");
});

// The suite of the page, as it stands there.
await import(pathToFileURL(join(root, "packages/cloudflare/test/conformance/single-user.test.ts")).href);
