import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const requirements = fileURLToPath(new URL("./requirements.txt", import.meta.url));

/**
 * The Python of an environment that requirements.txt pins. It is made in the temporary folder when it is first needed, and kept there.
 *
 * @throws Error where there is no Python with its venv module, or no package registry
 */
export async function pythonEnvironment(): Promise<string> {
  const pinned = createHash("sha256").update(await readFile(requirements));
  const folder = join(tmpdir(), `quarterturn-bench-python-${pinned.digest("hex").slice(0, 12)}`);
  const python = join(folder, "bin/python");
  const complete = join(folder, "complete");
  const isThere = await access(complete).then(
    () => true,
    () => false,
  );
  if (isThere) return python;
  await rm(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  await mkdir(complete);
  return python;
}
