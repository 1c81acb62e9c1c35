import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildInGoModule } from "@quarterturn-tools/engines/go-module";
import { install, installationCache, recipe } from "@quarterturn-tools/engines/installation";

const module = join(import.meta.dirname, "../actionlint");

/**
 * Has actionlint, of the version that ../actionlint/go.mod requires, judge workflows of GitHub Actions. It is built when it is first needed.
 *
 * @returns what it complains of, a line each
 */
export async function actionlint(files: readonly string[]): Promise<readonly string[]> {
  const folder = join(
    await installationCache(),
    `actionlint-${recipe(join(module, "go.mod"), join(module, "go.sum"))}`,
  );
  if (!existsSync(folder)) {
    await install(folder, (building) =>
      buildInGoModule(module, building, (go) =>
        go("build", "-trimpath", "-buildvcs=false", "-o", building, "github.com/rhysd/actionlint/cmd/actionlint"),
      ),
    );
  }
  // Other linters, which some machines have, are left out everywhere.
  const words = ["-oneline", "-no-color", "-shellcheck=", "-pyflakes=", ...files];
  const { stdout } = await promisify(execFile)(join(folder, "actionlint"), words).catch(complaints);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Its exit code is 1 where it complains, and more where it could not judge. */
function complaints(error: Error & { code: number; stdout: string }): { stdout: string } {
  if (error.code === 1) return error;
  throw error;
}
