import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { type RotationHandler, rotationHandler } from "@quarterturn/core";
import { multiUser, singleUser } from "@quarterturn/database";
import { type LocalEndpoint, type RotationFunction, startLocal, startRedshiftData } from "@quarterturn/local";
import { expect, onTestFinished, test, vi } from "vitest";
import { redshiftDirectory } from "../../src/directory.ts";
import { redshift } from "../../src/index.ts";
import { redshiftSettings, storedForm } from "../../src/password.ts";
import { startRedshiftImitation } from "../imitation/server.ts";
import { startApiFront } from "./api-front.ts";
import { warehouseOver } from "./warehouse.ts";

const HOST = "warehouse.abc123.us-east-1.redshift.amazonaws.com";

/** Rotates once over the Data API. @returns the calls of each step, those of both services together */
async function rotate(strategy: "single-user" | "multi-user"): Promise<{
  readonly calls: Readonly<Record<string, readonly string[]>>;
  readonly names: readonly string[];
}> {
  await using opened = new AsyncDisposableStack();
  const imitation = opened.use(await startRedshiftImitation());
  await imitation.superuser.query(`CREATE USER app PASSWORD '${storedForm("app", "First-password-1")}'`);
  const calls: string[] = [];
  const steps: Record<string, string[]> = {};
  let handler: RotationHandler = () => Promise.reject(new Error("not ready"));
  const rotator: RotationFunction = async (event, context) => {
    calls.length = 0;
    await handler(event, context);
    steps[event.Step] = [...calls];
  };
  const local: LocalEndpoint = opened.use(
    await startLocal({ functions: { rotator }, rotationRetry: { attempts: 0, delayMs: 0 } }),
  );
  const data = opened.use(await startRedshiftData({ secretsManager: local.url, warehouse: warehouseOver(imitation) }));
  const secretsFront = opened.use(await startApiFront([local.url], calls));
  const dataFront = opened.use(await startApiFront([data.url], calls));
  vi.stubEnv("AWS_ENDPOINT_URL_REDSHIFT_DATA", dataFront.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  const env = { SECRETS_MANAGER_ENDPOINT: secretsFront.url, REDSHIFT_TRANSPORT: "data-api", LOG_LEVEL: "ERROR" };
  handler = rotationHandler(
    () =>
      strategy === "single-user"
        ? singleUser(redshift(env), redshiftSettings(env))
        : multiUser(redshift(env), redshiftDirectory, redshiftSettings(env)),
    env,
  );
  const sm = new SecretsManager({ endpoint: local.url, region: local.region });
  opened.defer(() => sm.destroy());
  const common = { engine: "redshift", host: HOST, port: 5439, dbname: "dev" };
  const { ARN: masterarn } = await sm.createSecret({
    Name: "admin",
    SecretString: JSON.stringify({ ...common, ...imitation.admin }),
  });
  const first = { ...common, username: "app", password: "First-password-1", masterarn };
  const { ARN: secretArn = "" } = await sm.createSecret({ Name: "app", SecretString: JSON.stringify(first) });
  await sm.rotateSecret({ SecretId: secretArn, RotationLambdaARN: local.functionArn("rotator") });
  await local.settled();
  expect(local.events.filter(({ kind }) => kind === "rotation").map(({ name }) => name)).toEqual([
    "RotationStarted",
    "RotationSucceeded",
  ]);
  const { SecretList: secrets = [] } = await sm.listSecrets({});
  return { calls: steps, names: secrets.map(({ Name = "" }) => Name).sort() };
}

const LOGIN = ["BatchExecuteStatement", "DescribeStatement", "GetStatementResult"];
const OF_DATA_API = expect.stringMatching(/Statement/) as string;
const PROBE = ["DescribeSecret", "CreateSecret", ...LOGIN, "DeleteSecret"];

test("a single-user rotation makes 22 calls, 14 more than by wire, and leaves no secret", async () => {
  const { calls, names } = await rotate("single-user");
  expect(calls).toEqual({
    createSecret: ["DescribeSecret", "GetSecretValue", "PutSecretValue"],
    setSecret: [
      "GetSecretValue",
      "GetSecretValue",
      "DescribeSecret",
      "CreateSecret",
      ...LOGIN,
      "BatchExecuteStatement",
      "DescribeStatement",
      "DeleteSecret",
    ],
    testSecret: ["GetSecretValue", ...PROBE],
    finishSecret: ["DescribeSecret", "UpdateSecretVersionStage"],
  });
  expect(names).toEqual(["admin", "app"]);
});

test("a multi-user rotation makes 38 calls, 29 more than by wire: its twin is a new one here", async () => {
  const { calls, names } = await rotate("multi-user");
  expect(calls).toEqual({
    createSecret: ["DescribeSecret", "GetSecretValue", "PutSecretValue"],
    // AWSCURRENT at the admin's cluster by a probe secret, and the admin by its own.
    setSecret: [
      "GetSecretValue",
      "GetSecretValue",
      "GetSecretValue",
      ...PROBE,
      ...LOGIN,
      ...Array(14).fill(OF_DATA_API),
    ],
    testSecret: ["GetSecretValue", ...PROBE],
    finishSecret: ["DescribeSecret", "UpdateSecretVersionStage"],
  });
  expect(names).toEqual(["admin", "app"]);
});
