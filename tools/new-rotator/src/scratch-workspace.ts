import { execFile } from "node:child_process";
import { cp, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { workspace } from "./new-rotator.ts";

/** Copies to the folder what a package needs of its workspace; the dependencies are the workspace's own. */
export async function copyWorkspace(root: string): Promise<void> {
  for (const file of [
    ".gitignore",
    "biome.json",
    "package.json",
    "tsconfig.base.json",
    "tsconfig.json",
    "vitest.config.ts",
    "tools/test/src/longest-first.ts",
    "tools/test/src/selected-engines.ts",
  ]) {
    await cp(join(workspace, file), join(root, file));
  }
  await symlink(join(workspace, "node_modules"), join(root, "node_modules"));
}

/** Runs one of the workspace's tools in the folder. @throws Error with its output, where it fails */
export async function runTool(root: string, tool: string, ...parameters: string[]): Promise<string> {
  const options = { cwd: root, env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" } };
  const running = promisify(execFile)(join(workspace, "node_modules/.bin", tool), parameters, options);
  const { stdout } = await running.catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`${tool} failed:\n${error.stdout}${error.stderr}`);
  });
  return stdout;
}
