import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle, deploy, startLambda } from "../src/index.ts";
import { type Rds, startRds } from "./rds.ts";
import { type RotationWorld, rotationWorld } from "./rotation-world.ts";

const running = new AsyncDisposableStack();
let world: RotationWorld;
let rds: Rds;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  running.defer(() => rm(folder, { recursive: true }));
  const bundles = await bundle(folder);
  const deployment = running.use(
    await deploy(bundles.find(({ name }) => name === "rds-postgres-multi-user")?.zipFile ?? ""),
  );
  world = running.use(await rotationWorld());
  rds = running.use(await startRds(world.endpoint.url));
  const env = { ...world.env, SECRETS_MANAGER_ENDPOINT: rds.secretsManagerUrl, AWS_ENDPOINT_URL_RDS: rds.apiUrl };
  world.use(running.use(await startLambda({ folder: deployment.folder, env })));
});
afterAll(() => running.disposeAsync());

/** A user whose admin secret has only a name and a password, as RDS writes it. */
async function createUser(username: string, { isManaged }: { isManaged: boolean }): Promise<string> {
  const masterarn = await world.createSecret(`${username}-admin`, world.server.admin);
  if (isManaged) rds.manages(masterarn);
  return world.createUser(username, { masterarn });
}

it("asks RDS where a managed admin secret's database is, and rotates", async () => {
  rds.answer = { host: world.server.host, port: world.server.port };
  const secret = await createUser("managed", { isManaged: true });

  expect(await world.rotate(secret)).toBeUndefined();

  const current = await world.current(secret);
  expect(current.username).toBe("managed_clone");
  expect(await world.logsIn(current)).toBe(true);
});

it("an error of the lazily loaded file arrives with its own code and advice", async () => {
  const secret = await createUser("untagged", { isManaged: false });

  expect(await world.rotate(secret)).toMatch(
    /^setSecret: RotationError: .*no tag of RDS.*Put host and port into the admin secret\. \[bad-secret\]$/,
  );
});

it("an error of the RDS API arrives as what it means for the rotation", async () => {
  rds.answer = "AccessDenied";
  const secret = await createUser("denied", { isManaged: true });

  expect(await world.rotate(secret)).toMatch(/RotationError: .*DescribeDBInstances.*not allowed.*\[privilege\]$/);
});
