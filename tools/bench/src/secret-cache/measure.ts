import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startLocal } from "@quarterturn/local";
import { pythonInstallation } from "@quarterturn-tools/engines/installation";

const requirements = fileURLToPath(new URL("./requirements.txt", import.meta.url));

/** Nanoseconds for each get: of the processor for what is held, so that other processes do not count, and otherwise of the clock. */
export interface CacheFigures {
  /** Of a secret that is not held yet: the calls of Secrets Manager with it. */
  readonly first: number;
  /** Of the same secret again and again, as the cache gives it. */
  readonly one: number;
  /** The same, its JSON parsed. */
  readonly parsed: number;
  /** Of all secrets in turn. */
  readonly many: number;
}

export interface CacheResults {
  readonly ours: CacheFigures;
  /** AWS's cache for Python. */
  readonly python: CacheFigures;
  /** Calls of Secrets Manager for a secret that is not held yet. */
  readonly calls: { readonly ours: number; readonly python: number };
  readonly secrets: number;
  readonly gets: number;
}

/** Measures both caches against one local endpoint, one after the other, each in a process of its own. */
export async function measureCaches({ secrets, gets }: { secrets: number; gets: number }): Promise<CacheResults> {
  const python = join(await pythonInstallation("bench-python", requirements), "bin/python");
  await using local = await startLocal();
  const client = new SecretsManagerClient({
    endpoint: local.url,
    region: local.region,
    credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
  });
  const names = Array.from({ length: secrets }, (_, i) => `prod/service-${i}/db`);
  for (const Name of names) {
    await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
  }
  let calls = 0;
  local.onEvent(({ kind }) => {
    if (kind === "api-call") calls++;
  });
  const parameters = [local.url, JSON.stringify(names), String(gets)];
  const ours = await run(process.execPath, process.execArgv, new URL("./measure-ours.ts", import.meta.url), parameters);
  const ourCalls = calls;
  const theirs = await run(python, [], new URL("./measure_python.py", import.meta.url), parameters);
  client.destroy();
  return {
    ours,
    python: theirs,
    calls: { ours: ourCalls / secrets, python: (calls - ourCalls) / secrets },
    secrets,
    gets,
  };
}

const value = { engine: "postgres", host: "db.example.com", port: 5432, username: "app", password: "x".repeat(32) };

async function run(
  program: string,
  flags: readonly string[],
  file: URL,
  parameters: readonly string[],
): Promise<CacheFigures> {
  const { stdout } = await promisify(execFile)(program, [...flags, fileURLToPath(file), ...parameters]);
  return JSON.parse(stdout) as CacheFigures;
}
