import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type RotationEvent, startLocal } from "@quarterturn/local";
import { startMysql } from "@quarterturn-tools/engines";
import { expect, it } from "vitest";
import { bundle, deploy, startLambda } from "../src/index.ts";

it("the deployed MySQL bundle rotates a password of any characters, also where the server speaks in another encoding", async () => {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const { zipFile } = (await bundle(folder)).find(({ name }) => name === "rds-mysql-single-user") ?? { zipFile: "" };
  const deployed = opened.use(await deploy(zipFile));
  const server = opened.use(
    await startMysql({ settings: { "character-set-server": "gbk", "init-connect": "SET NAMES cp1251" } }),
  );
  let invoke = async (_event: RotationEvent): Promise<unknown> => undefined;
  const endpoint = opened.use(
    await startLocal({
      functions: { rotation: async (event) => void (await invoke(event)) },
      rotationRetry: { attempts: 0, delayMs: 0 },
    }),
  );
  const env = { SECRETS_MANAGER_ENDPOINT: endpoint.url, NODE_EXTRA_CA_CERTS: server.caFile };
  const lambda = opened.use(await startLambda({ folder: deployed.folder, env, nodeBinary: process.execPath }));
  invoke = (event) => lambda.invoke(event);

  const old = { username: "naïve ☃", password: "pässwörd ☃ 🔑" };
  const admin = await server.connect();
  await admin.query("CREATE USER ? IDENTIFIED BY ?", [old.username, old.password]);
  const client = new SecretsManagerClient({ endpoint: endpoint.url });
  opened.defer(() => client.destroy());
  const value = JSON.stringify({ ...old, host: server.host, port: server.port });
  const { ARN: SecretId } = await client.send(new CreateSecretCommand({ Name: "mysql", SecretString: value }));
  await client.send(new RotateSecretCommand({ SecretId, RotationLambdaARN: endpoint.functionArn("rotation") }));
  await endpoint.settled(SecretId ?? "");

  const { SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId }));
  const { username, password } = JSON.parse(SecretString) as typeof old;
  expect(password).not.toBe(old.password);
  await (await server.connect({ user: username, password })).end();
  await expect(server.connect({ user: username, password: old.password })).rejects.toMatchObject({ errno: 1045 });
});
