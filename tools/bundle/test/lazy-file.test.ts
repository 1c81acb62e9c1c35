import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { postgresTarget } from "../../../packages/rds-postgres/test/conformance/target.ts";
import { bundle, deploy, lambdaFunctions, startLambda } from "../src/index.ts";
import { type Rds, startRds } from "./rds.ts";
import { type SecretsManager, startSecretsManager } from "./secrets-manager.ts";

const running = new AsyncDisposableStack();
let target: Awaited<ReturnType<typeof postgresTarget>>;
let secretsManager: SecretsManager;
let rds: Rds;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  running.defer(() => rm(folder, { recursive: true }));
  const functions = (await lambdaFunctions()).filter(({ name }) => name === "rds-postgres-multi-user");
  const [{ zipFile = "" } = {}] = await bundle(folder, functions);
  const deployment = running.use(await deploy(zipFile));
  target = running.use(await postgresTarget("multi-user"));
  secretsManager = running.use(await startSecretsManager());
  rds = running.use(await startRds(secretsManager.url));
  const env = {
    SECRETS_MANAGER_ENDPOINT: rds.secretsManagerUrl,
    AWS_ENDPOINT_URL_RDS: rds.apiUrl,
    NODE_EXTRA_CA_CERTS: target.caFile ?? "",
  };
  secretsManager.use(running.use(await startLambda({ folder: deployment.folder, env })));
});
afterAll(() => running.disposeAsync());

/** A user whose admin secret has only a name and a password, as RDS writes it. */
async function createUser(name: string, { isManaged }: { isManaged: boolean }): Promise<string> {
  const { secret, adminSecret: { username, password } = {} } = await target.createAccount({ name, at: target.address });
  const masterarn = await secretsManager.create(`${name}-admin`, { username, password });
  if (isManaged) rds.manages(masterarn);
  return secretsManager.create(name, { ...secret, masterarn });
}

it("asks RDS where a managed admin secret's database is, and rotates", async () => {
  rds.answer = target.address;
  const secret = await createUser("managed", { isManaged: true });

  expect(await secretsManager.rotate(secret)).toBeUndefined();

  const current = await secretsManager.current(secret);
  expect(current.username).toBe("managed_clone");
  expect(await target.login(current)).toBe("accepted");
});

it("an error of the lazily loaded file arrives with its own code and advice", async () => {
  const secret = await createUser("untagged", { isManaged: false });

  expect(await secretsManager.rotate(secret)).toMatch(
    /^setSecret: RotationError: .*no tag of RDS.*Put host and port into the admin secret\. \[bad-secret\]$/,
  );
});

it("an error of the RDS API arrives as what it means for the rotation", async () => {
  rds.answer = "AccessDenied";
  const secret = await createUser("denied", { isManaged: true });

  expect(await secretsManager.rotate(secret)).toMatch(
    /RotationError: .*DescribeDBInstances.*not allowed.*\[privilege\]$/,
  );
});
