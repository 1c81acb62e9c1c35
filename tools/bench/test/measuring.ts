import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Bundle, bundle, lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { EngineName } from "../src/engines.ts";
import { type BenchFunction, benchFunction } from "../src/function.ts";
import { refusedWindows } from "../src/refused-window.ts";
import { rotationCost } from "../src/rotation-cost.ts";
import { startWorld, type World } from "../src/world.ts";

/** The tests of what is measured with one engine. */
export function measuring(name: EngineName): void {
  const running = new AsyncDisposableStack();
  let world: World;
  let singleUser: Bundle;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "quarterturn-bench-"));
    running.defer(() => rm(folder, { recursive: true }));
    world = running.use(await startWorld(name));
    const bundles = await bundle(folder, await lambdaFunctions([join(workspace, world.engine.folder)]));
    const found = bundles.find(({ strategy }) => strategy === "single-user");
    if (found === undefined) throw new Error("There is no bundle for single-user.");
    singleUser = found;
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
    const account = await world.createAccount("counted", "single-user");
    const client = new SecretsManagerClient({
      endpoint: world.endpoint.url,
      region: world.endpoint.region,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    running.defer(() => client.destroy());
    const logIn = await world.engine.application(world.server.caFile);
    // A service that issues keys has none to revoke in its first rotations.
    const usual = await rotationCost(world, account, await functionThat(async () => {}), { warmUp: 2, n: 1 });
    const more = await functionThat(async (step) => {
      if (step !== "createSecret") return;
      const { SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId: account.secretId }));
      const secret = JSON.parse(SecretString) as Record<string, unknown>;
      expect(await logIn(secret)).toBe("accepted");
      expect(await logIn({ ...secret, [secret.key === undefined ? "password" : "key"]: "wrong" })).toBe("refused");
    });
    const { apiCalls, logins, refusedLogins } = await rotationCost(world, account, more, { warmUp: 0, n: 2 });

    expect(usual.refusedLogins).toBe(0);
    expect({ apiCalls, logins, refusedLogins }).toEqual({
      apiCalls: usual.apiCalls + 1,
      logins: usual.logins + 2,
      refusedLogins: 1,
    });
  });

  it("splits a rotation's time into the API's, the server's and the function's own", async () => {
    const account = await world.createAccount("split", "single-user");
    // While it waits for its next event the function costs nothing.
    const idling = await functionThat((step) => sleep(step === "createSecret" ? 500 : 0));
    const { rotationMs, apiMs, databaseMs } = await rotationCost(world, account, idling, { warmUp: 0, n: 1 });

    expect(apiMs).toBeGreaterThan(0);
    expect(databaseMs).toBeGreaterThan(0);
    expect(apiMs + databaseMs).toBeLessThan(rotationMs);
  });

  it("sees for how long the application is refused", async () => {
    const account = await world.createAccount("refused", "single-user");
    const pauseMs = 300;
    const slow = await functionThat((step) => sleep(step === "setSecret" ? pauseMs : 0));
    const { refusedWindowMs, attempts, refused, refusedByServer } = await refusedWindows(world, account, slow, 2);

    expect(attempts).toBeGreaterThan(0);
    expect(refusedByServer).toBe(refused);
    expect(refusedWindowMs.n).toBe(2);
    if (world.engine.windows["single-user"] === "none") {
      expect(refusedWindowMs).toMatchObject({ median: 0, max: 0 });
    } else {
      expect(refused).toBeGreaterThan(0);
      expect(refusedWindowMs.median).toBeGreaterThan(pauseMs / 2);
      expect(refusedWindowMs.max).toBeGreaterThanOrEqual(refusedWindowMs.median);
    }
  });
}
