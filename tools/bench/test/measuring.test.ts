import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Bundle, bundle } from "@quarterturn-tools/bundle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type BenchFunction, benchFunction } from "../src/function.ts";
import { refusedWindows } from "../src/refused-window.ts";
import { rotationCost } from "../src/rotation-cost.ts";
import { startWorld, type World } from "../src/world.ts";

const running = new AsyncDisposableStack();
let world: World;
let singleUser: Bundle;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-bench-"));
  running.defer(() => rm(folder, { recursive: true }));
  const bundles = await bundle(folder);
  const found = bundles.find(({ engine, strategy }) => engine === "postgres" && strategy === "single-user");
  if (found === undefined) throw new Error("There is no bundle for single-user.");
  singleUser = found;
  world = running.use(await startWorld());
});
afterAll(() => running.disposeAsync());

/** The function, and what else it does in one of its steps. */
async function functionThat(alsoDoes: (step: string) => Promise<void>): Promise<BenchFunction> {
  const by = running.use(await benchFunction(singleUser, "warm", world.env, world.server.port));
  return {
    async invoke(event) {
      const cost = await by.invoke(event);
      await alsoDoes((event as { Step: string }).Step);
      return cost;
    },
    [Symbol.asyncDispose]: () => by[Symbol.asyncDispose](),
  };
}

it("counts every call, login and refused login of a function", async () => {
  const account = await world.createAccount("counted");
  const client = new SecretsManagerClient({
    endpoint: world.endpoint.url,
    region: world.endpoint.region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  running.defer(() => client.destroy());
  const usual = await rotationCost(world, account, await functionThat(async () => {}), { warmUp: 0, n: 1 });
  const more = await functionThat(async (step) => {
    if (step !== "createSecret") return;
    await client.send(new GetSecretValueCommand({ SecretId: account.secretId }));
    await expect(world.server.connect({ user: account.username, password: "wrong" })).rejects.toThrow("authentication");
    await (await world.server.connect()).end();
  });
  const { apiCalls, logins, refusedLogins } = await rotationCost(world, account, more, { warmUp: 1, n: 2 });

  expect(usual.refusedLogins).toBe(0);
  expect({ apiCalls, logins, refusedLogins }).toEqual({
    apiCalls: usual.apiCalls + 1,
    logins: usual.logins + 2,
    refusedLogins: 1,
  });
});

it("splits a rotation's time into the API's, the database's and the function's own", async () => {
  const account = await world.createAccount("split");
  const { rotationMs, apiMs, databaseMs } = await rotationCost(world, account, await functionThat(async () => {}), {
    warmUp: 0,
    n: 1,
  });

  expect(apiMs).toBeGreaterThan(0);
  expect(databaseMs).toBeGreaterThan(0);
  expect(apiMs + databaseMs).toBeLessThan(rotationMs);
});

it("sees for how long the application is refused", async () => {
  const account = await world.createAccount("refused");
  const pauseMs = 300;
  const slow = await functionThat((step) => sleep(step === "setSecret" ? pauseMs : 0));
  const { refusedWindowMs, refused } = await refusedWindows(world, account, slow, 2);

  expect(refused).toBeGreaterThan(0);
  expect(refusedWindowMs.n).toBe(2);
  expect(refusedWindowMs.median).toBeGreaterThan(pauseMs / 2);
  expect(refusedWindowMs.max).toBeGreaterThanOrEqual(refusedWindowMs.median);
});
