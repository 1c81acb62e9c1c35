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
import { startFerretdb } from "@quarterturn-tools/engines";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bundle, bundle, deploy, startLambda } from "../src/index.ts";

let folder: string;
let bundles: readonly Bundle[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  bundles = await bundle(folder);
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

it.each([
  { strategy: "single-user", username: "naïve ☃" },
  { strategy: "multi-user", username: "naïve ☃_clone" },
])(
  "the deployed $strategy bundle of DocumentDB rotates a password of any characters",
  { timeout: 120_000 },
  async ({ strategy, username }) => {
    await using opened = new AsyncDisposableStack();
    const { zipFile } = bundles.find(({ name }) => name === `documentdb-${strategy}`) ?? { zipFile: "" };
    const deployed = opened.use(await deploy(zipFile));
    const server = opened.use(await startFerretdb());
    const { host, port, admin } = server;
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

    const old = { username: "naïve ☃", password: "pässwörd ☃ Ⅸ" };
    const shop = (await server.connect()).db("shop");
    const roles = [{ role: "changeOwnPassword", db: "admin" }];
    await shop.command({ createUser: old.username, pwd: old.password, roles });
    const client = new SecretsManagerClient({ endpoint: endpoint.url });
    opened.defer(() => client.destroy());
    const create = async (Name: string, value: object) =>
      (await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }))).ARN;
    const masterarn = await create("admin", { ...admin, host, port });
    const SecretId = await create("user", { ...old, host, port, dbname: "shop", masterarn });
    await client.send(new RotateSecretCommand({ SecretId, RotationLambdaARN: endpoint.functionArn("rotation") }));
    await endpoint.settled(SecretId ?? "");

    const { SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId }));
    const current = JSON.parse(SecretString) as typeof old;
    expect(current.username).toBe(username);
    expect(current.password).not.toBe(old.password);
    await server.connect({ user: username, password: current.password, authSource: "shop" });
    const refused = { user: username, password: old.password, authSource: "shop" };
    await expect(server.connect(refused)).rejects.toMatchObject({ code: 18 });
  },
);
