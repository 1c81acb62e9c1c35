import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { createTestCa, startPostgres } from "@quarterturn-tools/engines";
import { expect, onTestFinished, test, vi } from "vitest";
import { applications } from "../src/applications.ts";
import { quarterturn } from "./command-line.ts";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

test("local serves all functions by name: one of them rotates a PostgreSQL's secret, which rotate --wait follows", async () => {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-cli-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ca = await createTestCa();
  await writeFile(join(folder, "ca.pem"), ca.pem);
  await using server = await startPostgres({ certificate: await ca.issue({ hosts: ["localhost"] }) });
  const superuser = await server.connect();
  await superuser.query("CREATE ROLE app LOGIN PASSWORD 'first'");
  await superuser.end();

  const local = spawn(process.execPath, [...process.execArgv, MAIN, "local", "--json"], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void local.kill("SIGKILL"));
  let [printed, noted] = ["", ""];
  local.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  local.stderr.on("data", (chunk) => {
    noted += chunk;
  });
  await expect.poll(() => printed, { timeout: 20_000 }).toMatch(/\}\n$/);
  const { url, region, functions } = JSON.parse(printed) as { url: string; region: string; functions: object };
  const ofDatabases = applications.filter(({ engines }) => engines.length > 0);
  expect(Object.keys(functions).sort()).toEqual(ofDatabases.map(({ name }) => name.replace("quarterturn-", "")).sort());

  const sm = new SecretsManager({ endpoint: url, region });
  onTestFinished(() => sm.destroy());
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, shell = ""] = /In another shell:\n\n```sh\n(.*?)```/s.exec(readme) ?? [];
  const lines = shell
    .replaceAll("http://127.0.0.1:4599", url)
    .replaceAll("5432", String(server.port))
    .trim()
    .split("\n");
  const [environment, rest] = [lines.slice(0, 3), lines.slice(3)];
  expect(noted).toContain(`\n${environment.join("\n")}\n`);
  expect(Math.max(...noted.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const [name = "", value] of environment.join(" ").matchAll(/[A-Z_]+(?:=(\S+))?/g))
    vi.stubEnv(name.split("=")[0] ?? "", value);
  const [, name, SecretString = ""] =
    /^aws secretsmanager create-secret --name (\S+) --secret-string '(.*)'$/.exec(rest.shift() ?? "") ?? [];
  await sm.createSecret({ Name: name, SecretString });
  for (const line of rest) {
    const ran = await quarterturn(line.replace("npx quarterturn ", "").split(" "));
    expect({ line, ...ran }).toMatchObject({ code: 0 });
    if (line.endsWith("--wait")) expect(ran.stdout).toMatch(/is AWSCURRENT, after/);
    if (line.includes("enable")) expect(ran.stderr).toContain("Secrets Manager alone: it has no Lambda");
  }
  const unnamed = await quarterturn(["enable", "app", "--yes", "--function", "none"]);
  expect(unnamed).toMatchObject({ code: 4 });
  const current = await sm.getSecretValue({ SecretId: "app" });
  const { password } = JSON.parse(current.SecretString ?? "") as { password: string };
  await (await server.connect({ user: "app", password, database: "postgres" })).end();
  expect(printed + noted).not.toContain(password);

  local.kill("SIGINT");
  expect(await once(local, "exit")).toEqual([0, null]);
});
