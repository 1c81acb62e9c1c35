import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { type RotationHandler, rotationHandler } from "@quarterturn/core";
import { multiUser, singleUser } from "@quarterturn/database";
import { type LocalEndpoint, type RotationFunction, startLocal, startRedshiftData } from "@quarterturn/local";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { redshiftDirectory } from "../../src/directory.ts";
import { redshift } from "../../src/index.ts";
import { redshiftSettings, storedForm } from "../../src/password.ts";
import { startRedshiftImitation } from "../imitation/server.ts";
import { startApiFront } from "./api-front.ts";
import { warehouseOver } from "./warehouse.ts";

const HOST = "warehouse.abc123.us-east-1.redshift.amazonaws.com";

type Strategy = "single-user" | "multi-user";

/** A user `app` whose secret a function rotates over the Data API. */
async function startRotation(strategy: Strategy) {
  await using opened = new AsyncDisposableStack();
  const imitation = opened.use(await startRedshiftImitation());
  await imitation.superuser.query(`CREATE USER app PASSWORD '${storedForm("app", "First-password-1")}'`);
  const calls: string[] = [];
  const steps: Record<string, string[]> = {};
  let handler: RotationHandler = () => Promise.reject(new Error("not ready"));
  const rotator: RotationFunction = async (event, context) => {
    calls.length = 0;
    await handler(event, context);
    // A multi-user step that took two seconds looks once more whether it is still the pending one's.
    const probed = calls.lastIndexOf("CreateSecret");
    steps[event.Step] = calls.filter((call, index) => call !== "DescribeSecret" || probed < 0 || index < probed);
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
  const closing = opened.move();
  return {
    imitation,
    dataFront,
    sm,
    secretArn,
    first,
    steps,
    async rotate() {
      await sm.rotateSecret({ SecretId: secretArn, RotationLambdaARN: local.functionArn("rotator") });
      await local.settled();
      return local.events.filter(({ kind }) => kind === "rotation").map(({ name }) => name);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Rotates once. @returns the calls of each step, those of both services together */
async function rotate(strategy: Strategy) {
  await using rotation = await startRotation(strategy);
  expect(await rotation.rotate()).toEqual(["RotationStarted", "RotationSucceeded"]);
  const { SecretList: secrets = [] } = await rotation.sm.listSecrets({});
  return { calls: rotation.steps, names: secrets.map(({ Name = "" }) => Name).sort() };
}

const CHANGE = ["BatchExecuteStatement", "DescribeStatement"];
const LOGIN = [...CHANGE, "GetStatementResult"];
const OF_DATA_API = expect.stringMatching(/Statement/) as string;
const OPENED = ["DescribeSecret", "CreateSecret", ...LOGIN];
const PROBE = [...OPENED, "DeleteSecret"];

test("a single-user rotation makes 22 calls, 14 more than by wire, and leaves no secret", async () => {
  const { calls, names } = await rotate("single-user");
  expect(calls).toEqual({
    createSecret: ["DescribeSecret", "GetSecretValue", "PutSecretValue"],
    setSecret: ["GetSecretValue", "GetSecretValue", ...OPENED, ...CHANGE, "DeleteSecret"],
    testSecret: ["GetSecretValue", ...PROBE],
    finishSecret: ["DescribeSecret", "UpdateSecretVersionStage"],
  });
  expect(names).toEqual(["admin", "app"]);
});

test("a multi-user rotation makes 38 calls, 29 more than by wire: its twin is a new one here", async () => {
  const { calls, names } = await rotate("multi-user");
  expect(calls).toEqual({
    createSecret: ["DescribeSecret", "GetSecretValue", "PutSecretValue"],
    // AWSCURRENT at the admin's cluster, and the admin by its own secret.
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

describe("whoever writes the secret between two readings", () => {
  test("cannot have the admin act for a user that nobody proved", async () => {
    await using rotation = await startRotation("multi-user");
    const { superuser } = rotation.imitation;
    await superuser.query(`CREATE USER attacker PASSWORD '${storedForm("attacker", "Own-password-1")}'`);
    const { sm, secretArn, first } = rotation;
    const put = (secret: object) => sm.putSecretValue({ SecretId: secretArn, SecretString: JSON.stringify(secret) });
    await put({ ...first, password: "not known" });
    rotation.dataFront.intercept = async () => {
      await put({ ...first, username: "attacker", password: "Own-password-1" });
      return undefined;
    };
    expect(await rotation.rotate()).not.toContain("RotationSucceeded");
    expect((await superuser.query("SELECT usename FROM pg_user WHERE usename ~ '_clone$'")).rows).toEqual([]);
  });

  test("is not overtaken: a user changes its password only with the one that was read", async () => {
    await using rotation = await startRotation("single-user");
    const { imitation, sm, secretArn, first } = rotation;
    rotation.dataFront.intercept = async () => {
      rotation.dataFront.intercept = () => undefined;
      await imitation.superuser.query(`ALTER USER app PASSWORD '${storedForm("app", "Repaired-password-1")}'`);
      const SecretString = JSON.stringify({ ...first, password: "Repaired-password-1" });
      await sm.putSecretValue({ SecretId: secretArn, SecretString });
      return undefined;
    };
    expect(await rotation.rotate()).not.toContain("RotationSucceeded");
    const client = await imitation.postgres.connect({ user: "app", password: "Repaired-password-1", database: "dev" });
    await client.end();
  });
});
