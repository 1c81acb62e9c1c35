import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { RotationHandler } from "@quarterturn/core";
import { startLocal } from "@quarterturn/local";
import { lambdaFunctions } from "@quarterturn-tools/bundle";
import { afterEach, expect, test, vi } from "vitest";
import { keyServiceTarget } from "../../../packages/template/examples/key-service/test/target.ts";
import { type Application, applications } from "./applications.ts";
import { roleStatements } from "./role.ts";

type Secret = Readonly<Record<string, unknown>>;

/** Rotates once. @returns how it ended, and the actions that each secret saw */
async function rotate(application: Application, secret: Secret, adminSecret: Secret) {
  await using opened = new AsyncDisposableStack();
  const entry = (await lambdaFunctions()).find(({ name }) => name === application.folder)?.entry ?? "";
  const { handler } = (await import(entry)) as { handler: RotationHandler };
  const local = opened.use(
    await startLocal({ functions: { rotation: handler }, rotationRetry: { attempts: 0, delayMs: 0 } }),
  );
  vi.stubEnv("SECRETS_MANAGER_ENDPOINT", local.url);
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const sm = new SecretsManager({ endpoint: local.url, region: local.region });
  opened.defer(() => sm.destroy());
  const { ARN: admin = "" } = await sm.createSecret({ Name: "admin", SecretString: JSON.stringify(adminSecret) });
  const { ARN: own = "" } = await sm.createSecret({
    Name: "own",
    SecretString: JSON.stringify({ ...secret, masterarn: admin }),
  });
  const before = local.events.length;
  await sm.rotateSecret({ SecretId: own, RotationLambdaARN: local.functionArn("rotation") });
  await local.settled();
  const events = local.events.slice(before);
  const calls = events.filter(({ kind, name }) => kind === "api-call" && name !== "RotateSecret");
  const actionsOn = (arn: string) =>
    [...new Set(calls.flatMap(({ secretArn, name }) => (secretArn === arn ? [`secretsmanager:${name}`] : [])))].sort();
  expect(calls.every(({ secretArn }) => secretArn === own || secretArn === admin)).toBe(true);
  return { end: events.at(-1), own: actionsOn(own), admin: actionsOn(admin) };
}

/** What the role may do to the secrets that name the function, and to the admin secret that the application was given. */
function granted(application: Application) {
  const statements = roleStatements(application);
  return {
    own: statements[0]?.actions,
    admin: statements.find(({ onlyIf }) => onlyIf === "hasSuperuserSecret")?.actions,
  };
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const multiUser = (await applications()).filter(({ strategy }) => strategy === "multi-user");

test("a whole rotation by the example's function calls what its role grants, on the rotated and on the admin secret", async () => {
  const application = multiUser.find(({ isExample }) => isExample) as Application;
  vi.stubEnv("SECRET_FIELD", "password");
  await using target = await keyServiceTarget("multi-user");
  const { secret, adminSecret = {} } = await target.createAccount({ at: target.address });
  const { end, ...called } = await rotate(application, secret, adminSecret);
  expect(end).toMatchObject({ kind: "rotation", name: "RotationSucceeded" });
  expect(called).toEqual(granted(application));
});

// As far as it gets without a database; it is then that the calls on an admin secret have been made.
test.for(multiUser.filter(({ isExample }) => !isExample))(
  "on an admin secret that the database manages, $folder calls what its role grants",
  async (application) => {
    const engine = application.manifest.engines[0];
    const secret = { engine, host: "db.example.com", username: "app", password: "first" };
    const { end, admin } = await rotate(application, secret, { username: "admin", password: "second" });
    expect(end).toMatchObject({ name: "RotationFailed", message: expect.stringContaining("has no host") });
    expect(admin).toEqual(granted(application).admin);
  },
);
