import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const requirements = fileURLToPath(new URL("./requirements.txt", import.meta.url));

/**
 * Runs a program, the first in its path being those of the Python environment that requirements.txt pins: AWS's own tools, which nobody here
 * wrote. The environment is made in the temporary folder when it is first needed, and kept there.
 *
 * @returns what it printed
 * @throws Error with its output where it failed
 */
export async function judge(
  program: string,
  parameters: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const { stdout } = await run(program, parameters, {
    env: { ...(await judgesEnvironment()), AWS_DEFAULT_REGION: "eu-west-1", ...env },
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${program} failed: ${error.stdout}${error.stderr}`, { cause: error });
  });
  return stdout;
}

/** What a process that runs one of them needs, for a server among them. */
export async function judgesEnvironment(): Promise<NodeJS.ProcessEnv> {
  environment ??= pythonEnvironment();
  return { PATH: `${join(await environment, "bin")}:${process.env.PATH}`, HOME: tmpdir() };
}

let environment: Promise<string> | undefined;

async function pythonEnvironment(): Promise<string> {
  const pinned = await readFile(requirements);
  const folder = join(tmpdir(), `quarterturn-judges-${createHash("sha256").update(pinned).digest("hex").slice(0, 12)}`);
  const isThere = await access(join(folder, "complete")).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  await rm(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]).catch((error: Error) => {
    throw new Error(`The judges of the templates need python3 with its venv module: ${error.message}`);
  });
  await run(join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "-r", requirements], {
    maxBuffer: 16 * 1024 * 1024,
  });
  const mark = await mkdtemp(join(folder, "making-"));
  await rename(mark, join(folder, "complete"));
  return folder;
}
