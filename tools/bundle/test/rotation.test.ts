import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundle, deploy, startLambda } from "../src/index.ts";
import { node22 } from "./node-22.ts";
import { type RotationWorld, rotationWorld } from "./rotation-world.ts";

const run = promisify(execFile);
const runtimes = [
  { version: "22", binary: node22 },
  { version: "24", binary: async () => process.execPath },
] as const;

let folder: string;
let bundles: readonly Bundle[];
let world: RotationWorld;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
  bundles = await bundle(folder);
  world = await rotationWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe.for(runtimes)("the deployed bundle under Node.js $version, alone in its folder", ({ version, binary }) => {
  /** Only `index.js` is left of it: a rotation needs nothing that is loaded lazily. */
  async function start(strategy: string) {
    const nodeBinary = await binary();
    expect((await run(nodeBinary, ["--version"])).stdout).toMatch(new RegExp(`^v${version}\\.`));
    await using starting = new AsyncDisposableStack();
    const { zipFile } = bundles.find((each) => each.engine === "postgres" && each.strategy === strategy) ?? {
      zipFile: strategy,
    };
    const { folder: deployed } = starting.use(await deploy(zipFile));
    await rm(join(deployed, "rds.js"), { force: true });
    const lambda = starting.use(await startLambda({ folder: deployed, env: world.env, nodeBinary }));
    world.use(lambda);
    const started = starting.move();
    return { lambda, [Symbol.asyncDispose]: () => started.disposeAsync() };
  }

  it("rotates a user's own password: the new one logs in and the old one does not", { timeout: 120_000 }, async () => {
    const secret = await world.createUser(`single_${version}`);
    const old = await world.current(secret);
    await using started = await start("single-user");

    expect(await world.rotate(secret)).toBeUndefined();

    const { username, password } = await world.current(secret);
    expect(username).toBe(old.username);
    expect(password).not.toBe(old.password);
    expect(await world.logsIn({ username, password })).toBe(true);
    expect(await world.logsIn(old)).toBe(false);
    await started.lambda.kill();
    expect(started.lambda.output).toContain('"message":"Step done"');
    expect(started.lambda.output).not.toContain(password);
  });

  it("rotates to the twin and back: both passwords log in all the time", { timeout: 120_000 }, async () => {
    const { server } = world;
    const masterarn = await world.createSecret(`admin_${version}`, {
      ...server.admin,
      host: server.host,
      port: server.port,
    });
    const secret = await world.createUser(`multi_${version}`, { masterarn });
    const old = await world.current(secret);
    await using _started = await start("multi-user");

    expect(await world.rotate(secret)).toBeUndefined();
    const twin = await world.current(secret);
    expect(twin.username).toBe(`${old.username}_clone`);
    expect(await world.logsIn(twin)).toBe(true);
    expect(await world.logsIn(old)).toBe(true);

    expect(await world.rotate(secret)).toBeUndefined();
    const next = await world.current(secret);
    expect(next.username).toBe(old.username);
    expect(await world.logsIn(next)).toBe(true);
    expect(await world.logsIn(twin)).toBe(true);
  });
});
