import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { StagedPackage } from "./stage.ts";

const bin = (name: string) => join(new URL("../../../node_modules/.bin", import.meta.url).pathname, name);
const run = promisify(execFile);

/**
 * Has publint and "are the types wrong" judge every package as it would be published, and prints what they say.
 *
 * @returns whether all are well
 */
export async function judgePackages(packages: readonly StagedPackage[]): Promise<boolean> {
  if (packages.length === 0) throw new Error("There is no public package to judge.");
  let areWell = true;
  for (const { name, folder } of packages) {
    const judges: readonly (readonly [string, readonly string[]])[] = [
      ["publint", [folder, "--strict", "--pack", "npm"]],
      ["attw", ["--pack", folder, "--profile", "esm-only", "--no-emoji", "--no-color"]],
    ];
    for (const [judge, parameters] of judges) {
      const { error, output } = await run(bin(judge), parameters).then(
        ({ stdout, stderr }) => ({ error: false, output: stdout + stderr }),
        (thrown: { stdout: string; stderr: string }) => ({ error: true, output: thrown.stdout + thrown.stderr }),
      );
      console.log(`${error ? "FAILED" : "ok"}  ${judge}  ${name}`);
      if (!error) continue;
      console.log(output);
      areWell = false;
    }
  }
  return areWell;
}
