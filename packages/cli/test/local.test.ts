import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { createTestCa, startPostgres } from "@quarterturn-tools/engines";
import { expect, onTestFinished, test } from "vitest";
import { applications } from "../src/applications.ts";
import { quarterturnAt } from "./command-line.ts";

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
  const secret = { engine: "postgres", host: server.host, port: server.port, username: "app", password: "first" };
  await sm.createSecret({ Name: "app", SecretString: JSON.stringify(secret) });
  const RotationLambdaARN = "rds-postgres-single-user";
  await sm.rotateSecret({ SecretId: "app", RotationLambdaARN, RotateImmediately: false });
  await expect.poll(() => noted, { timeout: 20_000 }).toContain("TestRotationSucceeded");
  expect(await quarterturnAt({ url })("rotate app --wait --timeout 20")).toMatchObject({ code: 0 });
  const { SecretString = "" } = await sm.getSecretValue({ SecretId: "app" });
  const { password } = JSON.parse(SecretString) as { password: string };
  await (await server.connect({ user: "app", password, database: "postgres" })).end();
  expect(printed + noted).not.toContain(password);

  local.kill("SIGINT");
  expect(await once(local, "exit")).toEqual([0, null]);
});
