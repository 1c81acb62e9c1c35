import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quarterturnAt, type Ran, steady } from "./command-line.ts";
import { type ImitatedAws, startImitatedAws } from "./imitated-aws.ts";
import { type Service, startService } from "./secrets-manager.ts";

let service: Service;
let aws: ImitatedAws;
let names = 0;

beforeAll(async () => {
  service = await startService();
  aws = await startImitatedAws(service.local.url, "the-group");
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const run = (line: string, surroundings?: Parameters<ReturnType<typeof quarterturnAt>>[1]) =>
  quarterturnAt(service.local)(line, surroundings);

/** A secret that was rotated once, by this function from now on. */
async function secretOf(functionName: "works" | "fails"): Promise<string> {
  const SecretId = `rotate/${++names}`;
  await service.sm.createSecret({ Name: SecretId, SecretString: "v" });
  await service.sm.rotateSecret({ SecretId, RotationLambdaARN: "works" });
  await service.local.settled(SecretId);
  if (functionName === "works") return SecretId;
  await service.sm.rotateSecret({ SecretId, RotationLambdaARN: "fails", RotateImmediately: false });
  await service.local.settled(SecretId);
  return SecretId;
}

/** For machines that have much else to do. */
const patience = { timeout: 20_000 };

/** A clock that goes ten thousand times as fast as it should, so that minutes need not be waited for. */
function fastClock(): () => Date {
  const start = Date.now();
  return () => new Date(start + (Date.now() - start) * 10_000);
}

/** How many looks a quick rotation takes is chance. */
const steadily = (ran: Ran) => steady(ran).replaceAll(/^(HH:MM:SS {2}AWS.*\n)\1+/gm, "$1");

describe("rotate", () => {
  test("begins a rotation and says how to follow it", async () => {
    const secret = await secretOf("works");
    const ran = await run(`rotate ${secret}`);
    expect(ran.code).toBe(0);
    expect(steadily(ran)).toMatchInlineSnapshot(`
      "The rotation of SECRET to version VERSION-1 has begun. See how far it is: quarterturn status SECRET --endpoint-url http://HOST
      ---
      "
    `);
    await service.local.settled(secret);
    expect(await service.labels(secret)).toMatchObject({ "v++": ["AWSCURRENT", "AWSPENDING"] });
  });

  test("--wait ends when the version is AWSCURRENT; where there is no log it says so once", async () => {
    const secret = await secretOf("works");
    const ran = await run(`rotate ${secret} --wait`);
    expect(ran.code).toBe(0);
    expect(steadily(ran)).toMatchInlineSnapshot(`
      "Version VERSION-1 of SECRET is AWSCURRENT, after N s.
      ---
      The function's log cannot be read (The endpoint knows no such operation): only labels are shown.
      HH:MM:SS  AWSCURRENT VERSION-2, AWSPENDING VERSION-1, AWSPREVIOUS VERSION-3
      HH:MM:SS  AWSCURRENT VERSION-1, AWSPENDING VERSION-1, AWSPREVIOUS VERSION-2
      "
    `);
    expect(await service.labels(secret)).toMatchObject({ "v++": ["AWSCURRENT", "AWSPENDING"] });
  });

  test("--wait --json is the whole course", async () => {
    const secret = await secretOf("works");
    const { stdout } = await run(`rotate ${secret} --wait --json`);
    const { version, signs, ...rest } = JSON.parse(stdout) as { version: string; signs: { is: string }[] };
    expect(rest).toMatchObject({ name: secret, outcome: "current", reason: null, seconds: expect.any(Number) });
    expect(signs.at(-1)).toMatchObject({
      is: "labels",
      versions: { [version]: expect.arrayContaining(["AWSCURRENT"]) },
    });
  });

  test("--wait gives up after --timeout, with an exit code of its own", async () => {
    const secret = await secretOf("fails");
    const ran = await run(`rotate ${secret} --wait --timeout 1`);
    expect(ran.code).toBe(6);
    expect(steadily(ran)).toMatchInlineSnapshot(`
      "---
      The function's log cannot be read (The endpoint knows no such operation): only labels are shown.
      HH:MM:SS  AWSCURRENT VERSION-1, AWSPENDING VERSION-2, AWSPREVIOUS VERSION-3
      quarterturn: The rotation of SECRET has not ended within 1 s. It may go on: quarterturn status SECRET --endpoint-url http://HOST. What the function says: aws logs tail /aws/lambda/fails --since 1h.
      "
    `);
  });

  test("--wait ends at once when rotation is turned off, or AWSPENDING taken away: failed", async () => {
    const off = await secretOf("fails");
    const running = run(`rotate ${off} --wait`);
    await expect.poll(() => service.labels(off), patience).toHaveProperty("no value");
    await service.sm.cancelRotateSecret({ SecretId: off });
    expect(await running).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("rotation was turned off meanwhile"),
    });

    const abandoned = await secretOf("fails");
    const following = run(`rotate ${abandoned} --wait`);
    await expect.poll(() => service.labels(abandoned), patience).toHaveProperty("no value");
    await service.sm.putSecretValue({ SecretId: abandoned, SecretString: "by hand" });
    expect(await following).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("a new value was stored meanwhile"),
    });
  });

  test("nothing that changes for an hour is a failed rotation", async () => {
    const secret = await secretOf("fails");
    const ran = await run(`rotate ${secret} --wait --timeout 10000000`, { now: fastClock() });
    expect(ran).toMatchObject({ code: 5, stderr: expect.stringContaining("nothing has changed for an hour") });
  });

  test("Ctrl-C ends the waiting, and not the rotation", async () => {
    const secret = await secretOf("fails");
    const interruption = new AbortController();
    const running = run(`rotate ${secret} --wait`, { signal: interruption.signal });
    await expect.poll(() => service.labels(secret), patience).toHaveProperty("no value");
    interruption.abort();
    expect(await running).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/^quarterturn: Interrupted; what was begun at AWS goes on\.$/m),
    });
  });
});

describe("the function's log", () => {
  const line = (fields: object) =>
    JSON.stringify({ level: "INFO", step: "createSecret", message: "Step done", ...fields });

  /** Follows a rotation that fails, whose function's log is this, on a clock that goes on by half a minute whenever it is looked at. */
  async function rotateSaying(log: (version: string) => readonly string[]): Promise<Ran & { secret: string }> {
    const secret = await secretOf("fails");
    aws.log = log;
    let ahead = 0;
    const now = () => new Date(Date.now() + (ahead += 30_000));
    return { ...(await quarterturnAt(aws)(`rotate ${secret} --wait --timeout 3000`, { now })), secret };
  }

  test("is shown step by step; what other functions and other rotations say is not", async () => {
    const ran = await rotateSaying((version) => [
      line({ version }),
      line({ version, step: "setSecret", message: "The user has the pending password" }),
      "START RequestId: 1 Version: $LATEST",
      `[INFO] setSecret of ${version}: password is hunter2`,
      line({ version: "another", step: "testSecret" }),
      line({
        version,
        level: "ERROR",
        step: "setSecret",
        message: "Step failed",
        reason: "no route\u001b[2J\n [unreachable]",
      }),
    ]);
    expect(ran.code).toBe(5);
    expect(steadily(ran)).toMatchInlineSnapshot(`
      "---
      HH:MM:SS  createSecret  Step done
      HH:MM:SS  setSecret     The user has the pending password
      HH:MM:SS  setSecret     failed: no route [2J  [unreachable]
      HH:MM:SS  labels        AWSCURRENT VERSION-1, AWSPENDING VERSION-2, AWSPREVIOUS VERSION-3
      quarterturn: The rotation of SECRET failed: setSecret: no route [2J  [unreachable]. When the reason is gone: quarterturn cancel SECRET --clear-pending --endpoint-url http://HOST; then rotate again. What the codes mean: docs/errors.md.
      "
    `);
  });

  test("a failed step is not the end while the service tries again", async () => {
    let looks = 0;
    const ran = await rotateSaying((version) => {
      looks += 1;
      const SecretId = `rotate/${names}`;
      if (looks === 2) void service.sm.putSecretValue({ SecretId, SecretString: "late", ClientRequestToken: version });
      const failed = { version, level: "ERROR", message: "Step failed", reason: "busy" };
      // It is heard of again and again, as long as that takes.
      return Array.from({ length: looks }, () => line(failed));
    });
    expect(looks).toBeGreaterThan(1);
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining("createSecret  failed: busy") });
  });

  test("a function that has not run yet has no log group, which is waited for", async () => {
    delete aws.log;
    const secret = await secretOf("works");
    const ran = await quarterturnAt(aws)(`rotate ${secret} --wait`);
    expect(ran).toMatchObject({ code: 0, stderr: expect.not.stringContaining("cannot be read") });
  });
});
