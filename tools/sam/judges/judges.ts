import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { npmInstallation, pythonInstallation } from "@quarterturn-tools/engines/installation";

const run = promisify(execFile);
const maxBuffer = 16 * 1024 * 1024;
/** The SAM CLI would report that it was used, and ask for its newest version. */
const withoutNetwork = { SAM_CLI_TELEMETRY: "0", HTTPS_PROXY: "http://127.0.0.1:9" };
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
    maxBuffer,
  }).catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${program} failed: ${error.stdout}${error.stderr}`, { cause: error });
  });
  return stdout;
}

/** What a process that runs one of them needs, for a server among them. */
export async function judgesEnvironment(): Promise<NodeJS.ProcessEnv> {
  environment ??= pythonEnvironment();
  return { PATH: `${join(await environment, "bin")}:${process.env.PATH}`, HOME: tmpdir(), ...withoutNetwork };
}

let environment: Promise<string> | undefined;

const pythonEnvironment = () => pythonInstallation("judges", requirements);

/** Where aws-cdk-lib is, as ./cdk/package-lock.json locks it: installed in the temporary folder when it is first needed. */
export const cdkFolder = () => npmInstallation(cdk);

/** Installs all of them, so that no test waits for it. */
export async function installJudges(): Promise<void> {
  environment ??= pythonEnvironment();
  await Promise.all([environment, cdkFolder()]);
}

/** Runs ./cdk/synthesise.mjs. @throws Error with what the CDK says against it */
export async function synthesise(uses: readonly unknown[]): Promise<string> {
  const folder = await cdkFolder();
  const output = await mkdtemp(join(tmpdir(), "quarterturn-cdk-"));
  const running = run(process.execPath, [join(cdk, "synthesise.mjs"), folder, output], { maxBuffer });
  running.child.stdin?.end(JSON.stringify(uses));
  try {
    return (await running).stdout;
  } finally {
    await rm(output, { recursive: true });
  }
}

const cdk = fileURLToPath(new URL("./cdk", import.meta.url));
