import type { RotationRulesType } from "@aws-sdk/client-secrets-manager";
import { RotationError, type Rotator, rotationHandler, textFormat } from "@quarterturn/core";
import * as v from "valibot";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Context } from "../src/context.ts";
import { type RotationEnd, watchRotation } from "../src/rotation-watch.ts";
import type { Secret } from "../src/secret.ts";
import { quarterturnAt, type Ran, type Surroundings, steady } from "./command-line.ts";
import { type ImitatedAws, startImitatedAws } from "./imitated-aws.ts";
import { type Service, startService } from "./secrets-manager.ts";

/** The time, which stands still but while a command waits between two looks. */
let clock: number;
let service: Service;
let aws: ImitatedAws;
let names = 0;

beforeAll(async () => {
  clock = Date.parse("2030-01-01T00:00:00Z");
  service = await startService({ now: () => new Date(clock) });
  aws = await startImitatedAws(service.local.url, "the-group");
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});
beforeEach(() => {
  delete aws.log;
});

/** A secret with an AWSPREVIOUS, whose function ends in createSecret. */
async function createSecret(): Promise<string> {
  const SecretId = `rotate/${++names}`;
  await service.sm.createSecret({ Name: SecretId, SecretString: "v" });
  await service.sm.putSecretValue({ SecretId, SecretString: "w" });
  await service.sm.rotateSecret({ SecretId, RotationLambdaARN: "fails", RotateImmediately: false });
  await service.local.settled(SecretId);
  return SecretId;
}

async function versionWith(label: string, SecretId: string): Promise<string | undefined> {
  const { VersionIdsToStages = {} } = await service.sm.describeSecret({ SecretId });
  return Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes(label));
}

/** Does what a function does. */
async function finish(SecretId: string): Promise<void> {
  const [pending, current] = [await versionWith("AWSPENDING", SecretId), await versionWith("AWSCURRENT", SecretId)];
  const staged = { ClientRequestToken: pending, VersionStages: ["AWSPENDING"] };
  await service.sm.putSecretValue({ SecretId, SecretString: "w+", ...staged });
  const move = { MoveToVersionId: pending, RemoveFromVersionId: current };
  await service.sm.updateSecretVersionStage({ SecretId, VersionStage: "AWSCURRENT", ...move });
}

/** Lets more time pass than a command has waited for: fewer looks. */
function pass(seconds: number): void {
  clock += seconds * 1000;
}

/** A command's way to tell the time and to wait. */
function onClock(between?: Meanwhile["between"], signal?: AbortSignal) {
  const began = clock;
  return {
    now: () => new Date(clock),
    async sleep(milliseconds: number) {
      clock += milliseconds;
      await between?.((clock - began) / 1000);
      signal?.throwIfAborted();
    },
  };
}

interface Meanwhile {
  /** Happens between two looks. @param waited seconds since the rotation was begun */
  readonly between?: (waited: number) => Promise<unknown> | undefined;
  readonly at?: { readonly url: string };
  readonly signal?: AbortSignal;
  readonly key?: Surroundings["key"];
}

/** Runs a command line on the clock of this file. */
async function run(line: string, { between, at = service.local, signal, key }: Meanwhile = {}): Promise<Ran> {
  return quarterturnAt(at)(line, { ...onClock(between, signal), ...(signal && { signal }), ...(key && { key }) });
}

describe("rotate", () => {
  test("begins a rotation and says how to follow it, by the words that were given", async () => {
    const secret = await createSecret();
    const { ARN } = await service.sm.describeSecret({ SecretId: secret });
    const ran = await run(`rotate ${ARN}`);
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "The rotation of SECRET to version VERSION-1 has begun. See how far it is: quarterturn status arn:aws:secretsmanager:us-east-1:000000000000:secret:SECRET-SUFFIX --endpoint-url http://HOST
      ---
      "
    `);
    expect(await service.labels(secret)).toMatchObject({ "no value": ["AWSPENDING"] });
  });

  describe("where rotation was cancelled", () => {
    const isOn = async (SecretId: string) => (await service.sm.describeSecret({ SecretId })).RotationEnabled;
    const createCancelled = async (RotationRules?: RotationRulesType) => {
      const SecretId = await createSecret();
      if (RotationRules) await service.sm.rotateSecret({ SecretId, RotationRules, RotateImmediately: false });
      await service.local.settled(SecretId);
      await service.sm.cancelRotateSecret({ SecretId });
      return SecretId;
    };

    test("says that it turns it on again, and wants a yes", async () => {
      const secret = await createCancelled({ AutomaticallyAfterDays: 10 });
      const refused = await run(`rotate ${secret}`);
      expect(refused.code).toBe(2);
      expect(steady(refused)).toMatchInlineSnapshot(`
        "---
        Rotation is off: it is turned on again (every 10 days), and rotates now
        quarterturn: Nothing was changed: this asks before it changes something, and nobody is there to answer. Read what it would do, above, then run it again with --yes.
        "
      `);
      expect(await run(`rotate ${secret}`, { key: "n" })).toMatchObject({ code: 3 });
      expect(await isOn(secret)).toBe(false);
      const ran = await run(`rotate ${secret}`, { key: "y" });
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining("has begun") });
      expect(await isOn(secret)).toBe(true);
    });

    test("--yes is one; the line stands there all the same", async () => {
      const secret = await createCancelled();
      const ran = await run(`rotate ${secret} --yes`);
      expect(ran).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/^Rotation is off: it is turned on again, and rotates now\n$/),
      });
      expect(await isOn(secret)).toBe(true);
    });

    test("refuses where it has changed while the question stood", async () => {
      const SecretId = await createCancelled();
      const key = async () => {
        await service.sm.putSecretValue({ SecretId, SecretString: "by hand" });
        return "y";
      };
      expect(await run(`rotate ${SecretId}`, { key })).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(`Rotation of "${SecretId}" was left off: the secret was changed meanwhile.`),
      });
      expect(await isOn(SecretId)).toBe(false);
    });

    test("in the middle of one refuses before it asks: the service would try that one again", async () => {
      const SecretId = await createSecret();
      await service.sm.rotateSecret({ SecretId });
      await service.local.settled(SecretId);
      await service.sm.cancelRotateSecret({ SecretId });
      const ran = await run(`rotate ${SecretId}`);
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(
        /^quarterturn: .* was left off: a rotation to version \S+ is not finished\. .*--clear-pending/,
      );
      expect(await isOn(SecretId)).toBe(false);
    });
  });

  test("--wait ends when the version is AWSCURRENT; where there is no log it says so once", async () => {
    const secret = await createSecret();
    const ran = await run(`rotate ${secret} --wait`, { between: () => finish(secret) });
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "Version VERSION-1 of SECRET is AWSCURRENT, after N s.
      ---
      The function's log cannot be read (This endpoint on your own machine is Secrets Manager alone: it has no Lambda): only labels are shown.
      HH:MM:SS  AWSCURRENT VERSION-2, AWSPENDING VERSION-1, AWSPREVIOUS VERSION-3
      HH:MM:SS  AWSCURRENT VERSION-1, AWSPENDING VERSION-1, AWSPREVIOUS VERSION-2
      "
    `);
    expect(await service.labels(secret)).toMatchObject({ "w+": ["AWSCURRENT", "AWSPENDING"] });
  });

  test("--json is the whole course, with the same keys in every case", async () => {
    const secret = await createSecret();
    const { stdout } = await run(`rotate ${secret} --wait --json`, { between: () => finish(secret) });
    const { version, signs, arn: _, ...rest } = JSON.parse(stdout) as { version: string; signs: object[]; arn: string };
    expect(rest).toEqual({ name: secret, outcome: "current", reason: null, seconds: 0 });
    expect(signs.map((sign) => Object.keys(sign))).toEqual(signs.map(() => ["is", "time", "versions"]));
    expect(signs.at(-1)).toMatchObject({
      is: "labels",
      versions: { [version]: expect.arrayContaining(["AWSCURRENT"]) },
    });
    const begun = JSON.parse((await run(`rotate ${await createSecret()} --json`)).stdout) as object;
    expect(Object.keys(begun)).toEqual(Object.keys(JSON.parse(stdout) as object));
    expect(begun).toMatchObject({ outcome: "started", reason: null, seconds: null, signs: [] });
  });

  test("--wait gives up after --timeout, with an exit code of its own", async () => {
    const secret = await createSecret();
    const ran = await run(`rotate ${secret} --wait --timeout 1 --region eu-west-3`);
    expect(ran.code).toBe(6);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      The function's log cannot be read (This endpoint on your own machine is Secrets Manager alone: it has no Lambda): only labels are shown.
      HH:MM:SS  AWSCURRENT VERSION-1, AWSPENDING VERSION-2, AWSPREVIOUS VERSION-3
      quarterturn: The rotation of SECRET has not ended within 1 s. It may go on: quarterturn status SECRET --region eu-west-3 --endpoint-url http://HOST; end it: quarterturn cancel SECRET --clear-pending --region eu-west-3 --endpoint-url http://HOST. Where its function's log is: aws lambda get-function-configuration --function-name arn:aws:lambda:us-east-1:000000000000:function:fails --query LoggingConfig.LogGroup --region eu-west-3 --endpoint-url http://HOST.
      "
    `);
  });

  test("there it names the log group that the function has", async () => {
    const ran = await run(`rotate ${await createSecret()} --wait --timeout 1`, { at: aws });
    expect(ran).toMatchObject({ code: 6, stderr: expect.stringContaining("aws logs tail the-group --since 1h") });
  });

  test("a secret that a service of AWS rotates has no function, and no log is looked for", async () => {
    const SecretId = await createSecret();
    await using managing = await startImitatedAws(service.local.url, "the-group", async (operation) => {
      if (operation !== "DescribeSecret") return undefined;
      const { Name, ARN, RotationEnabled, VersionIdsToStages } = await service.sm.describeSecret({ SecretId });
      return { Name, ARN, RotationEnabled, VersionIdsToStages, OwningService: "rds", LastChangedDate: clock / 1000 };
    });
    const { code, stderr } = await run(`rotate ${SecretId} --wait --timeout 1`, { at: managing });
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /^[^\n]*AWSPENDING[^\n]*\nquarterturn: The rotation of .* has not ended within 1 s\. It may go on: .*; end it: quarterturn cancel \S+ --clear-pending --endpoint-url \S+\.\n$/,
    );
    expect(managing.calls.filter((call) => !call.startsWith("secretsmanager:"))).toEqual([]);
    const { stdout } = await run(`status ${SecretId}`, { at: managing });
    expect(stdout).toMatch(/^ {2}function {2}none: rds rotates it itself$/m);
  });

  test("--wait ends at once when rotation is turned off: failed, and the version blocks others", async () => {
    const secret = await createSecret();
    const ran = await run(`rotate ${secret} --wait`, {
      between: () => service.sm.cancelRotateSecret({ SecretId: secret }),
    });
    expect(ran.code).toBe(5);
    expect(ran.stderr).toMatch(/failed: rotation was turned off meanwhile\. .*cancel rotate\/\d+ --clear-pending/);
  });

  test("or when AWSPENDING is taken away: failed, and nothing blocks", async () => {
    const secret = await createSecret();
    const ran = await run(`rotate ${secret} --wait`, {
      between: () => service.sm.putSecretValue({ SecretId: secret, SecretString: "by hand" }),
    });
    expect(ran.code).toBe(5);
    expect(ran.stderr).toMatch(/a new value was stored meanwhile\. When the reason is gone: quarterturn rotate /);
  });

  test("or when the version was AWSCURRENT and another one is: not done, although the rotation was", async () => {
    const secret = await createSecret();
    const before = await versionWith("AWSCURRENT", secret);
    const rollBack = async () => {
      await finish(secret);
      const version = await versionWith("AWSCURRENT", secret);
      const move = { SecretId: secret, RemoveFromVersionId: version };
      await service.sm.updateSecretVersionStage({ ...move, VersionStage: "AWSPENDING" });
      await service.sm.updateSecretVersionStage({ ...move, VersionStage: "AWSCURRENT", MoveToVersionId: before });
    };
    const ran = await run(`rotate ${secret} --wait --json`, { between: rollBack });
    const { version, outcome } = JSON.parse(ran.stdout) as { version: string; outcome: string };
    expect({ code: ran.code, outcome, version }).toEqual({
      code: 5,
      outcome: "superseded",
      version: await versionWith("AWSPREVIOUS", secret),
    });
    expect(ran.stderr).toMatch(
      new RegExp(`Version ${version} of ${secret} was AWSCURRENT, and version ${before} is now\\. .*status ${secret}`),
    );
  });

  /** Follows a rotation to version `new` of which DescribeSecret says this after so many seconds. */
  async function follow(described: (seconds: number) => object): Promise<RotationEnd> {
    const began = clock;
    const send = async () => described((clock - began) / 1000);
    const io = { signal: new AbortController().signal, ...onClock() };
    const context = { io, secretsManager: { send } } as unknown as Context;
    const log = { group: undefined, readNew: async () => [], [Symbol.dispose]: () => undefined };
    return watchRotation(context, { arn: "app" } as Secret, "new", log, 600_000, () => undefined);
  }
  const stale = { RotationEnabled: false, VersionIdsToStages: { old: ["AWSCURRENT"] } };

  test("what DescribeSecret does not show yet is waited for: neither the version, nor that rotation is on again", async () => {
    const VersionIdsToStages = { old: ["AWSPREVIOUS"], new: ["AWSCURRENT", "AWSPENDING"] };
    const end = await follow((seconds) => (seconds < 20 ? stale : { RotationEnabled: true, VersionIdsToStages }));
    expect(end).toEqual({ is: "current" });
  });

  test("but not for ever", async () => {
    const why = expect.stringContaining("AWSPENDING was taken off its version");
    expect(await follow(() => ({ ...stale, RotationEnabled: true }))).toEqual({ is: "failed", why, blocks: false });
  });

  test("nothing that changes for an hour is a failed rotation", async () => {
    const ran = await run(`rotate ${await createSecret()} --wait --timeout 10000`, {
      between: async () => pass(1200),
    });
    expect(ran).toMatchObject({ code: 5, stderr: expect.stringContaining("nothing has changed for an hour") });
  });

  test("Ctrl-C ends the waiting, and not the rotation", async () => {
    const interruption = new AbortController();
    const ran = await run(`rotate ${await createSecret()} --wait`, {
      signal: interruption.signal,
      between: async () => interruption.abort(),
    });
    expect(ran).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(
        /^quarterturn: Interrupted; what was begun at AWS goes on\. The rotation to version [0-9a-f-]{36} was begun\. See how far it is: quarterturn status rotate\/\d+ --endpoint-url \S+$/m,
      ),
    });
  });

  test.each([
    ["ExpiredTokenException", "The security token included in the request is expired", "The AWS session has expired"],
    ["ThrottlingException", "Rate exceeded", "AWS answers that there are too many requests, 3 times in a row"],
  ])(
    "%s while it waits: it says that a rotation was begun, and not to run that again",
    async (type, message, words) => {
      const secret = await createSecret();
      let isBegun = false;
      await using refusing = await startImitatedAws(service.local.url, "none", async (operation) => {
        if (operation === "RotateSecret") isBegun = true;
        return isBegun && operation === "DescribeSecret" ? { __type: type, message } : undefined;
      });
      const { code, stderr } = await run(`rotate ${secret} --wait`, { at: refusing });
      expect(code).toBe(4);
      const begun = `The rotation to version ${await versionWith("AWSPENDING", secret)} was begun`;
      expect(stderr).toBe(
        `quarterturn: ${words}. ${begun}. See how far it is: quarterturn status ${secret} --endpoint-url ${refusing.url}\n`,
      );
    },
  );
});

describe("the function's log", () => {
  const line = (fields: object) =>
    JSON.stringify({ logger: "quarterturn", level: "INFO", step: "createSecret", message: "Step done", ...fields });

  test("is shown step by step; what other functions and other rotations say is not", async () => {
    const strange = "password is hunter2";
    aws.log = (version) => [
      line({ version }),
      line({ version, step: "setSecret", message: "The user has the pending password" }),
      "START RequestId: 1 Version: $LATEST",
      `[INFO] setSecret of ${version}: ${strange}`,
      JSON.stringify({ level: "INFO", step: "setSecret", version, message: strange }),
      line({ version: "another", secret: version, message: strange }),
      line({ version, step: "undress", message: strange }),
      line({
        version,
        level: "ERROR",
        step: "setSecret",
        message: "Step failed",
        reason: "no route\u001b[2J\n [unreachable]",
      }),
    ];
    const ran = await run(`rotate ${await createSecret()} --wait`, { at: aws, between: async () => pass(60) });
    expect(ran.code).toBe(5);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      HH:MM:SS  createSecret  Step done
      HH:MM:SS  setSecret     The user has the pending password
      HH:MM:SS  setSecret     failed: no route [2J  [unreachable]
      HH:MM:SS  AWSCURRENT VERSION-1, AWSPENDING VERSION-2, AWSPREVIOUS VERSION-3
      quarterturn: The rotation of SECRET failed: setSecret: no route [2J  [unreachable]. When the reason is gone: quarterturn cancel SECRET --clear-pending --endpoint-url http://HOST; then quarterturn rotate SECRET --wait --endpoint-url http://HOST. What the codes mean: docs/errors.md.
      "
    `);
    expect(ran.stderr).not.toContain(strange);
  });

  test("is read from before the rotation began by this machine's clock, which may be ahead of the service's", async () => {
    aws.log = () => [];
    const began = clock;
    let asked: number | undefined;
    aws.play = ({ action, body }) => {
      if (action === "logs:FilterLogEvents") asked ??= (JSON.parse(body) as { startTime: number }).startTime;
      return undefined;
    };
    onTestFinished(() => {
      delete aws.play;
    });
    await run(`rotate ${await createSecret()} --wait --timeout 1`, { at: aws });
    expect(asked).toBeLessThanOrEqual(began - 5 * 60_000);
  });

  test("of a function whose steps core runs is shown", async () => {
    const rotator: Rotator<string, string> = {
      schema: v.string(),
      format: textFormat,
      create: async () => "the next",
      set: () => Promise.reject(new RotationError("unreachable", "No route to db.example", "Open one.")),
      test: async () => undefined,
    };
    const handler = rotationHandler(() => rotator, { SECRETS_MANAGER_ENDPOINT: service.local.url });
    const secret = await createSecret();
    const lines: string[] = [];
    aws.log = () => lines;
    const ran = await run(`rotate ${secret} --wait`, {
      at: aws,
      async between() {
        pass(60);
        if (lines.length > 0) return;
        const write = vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
        const event = { SecretId: secret, ClientRequestToken: await versionWith("AWSPENDING", secret) };
        const lambda = { awsRequestId: "request", getRemainingTimeInMillis: () => 30_000 };
        await handler({ ...event, Step: "createSecret" }, lambda);
        await expect(handler({ ...event, Step: "setSecret" }, lambda)).rejects.toThrow("No route");
        write.mockRestore();
      },
    });
    expect(ran.stderr).toMatch(/createSecret {2}Step done\n.* {2}setSecret {5}failed: No route to db\.example\./);
    expect(ran.stderr).toMatch(
      /: The rotation of rotate.* failed: setSecret: No route to db\.example\. Open one\. \[unr/,
    );
    expect(ran.code).toBe(5);
  });

  test("a failed step is not the end while the service may try again: for four minutes", async () => {
    aws.log = (version) => [line({ version, level: "ERROR", message: "Step failed", reason: "busy" })];
    const secret = await createSecret();
    const later = await run(`rotate ${secret} --wait`, {
      at: aws,
      // Lambda's second retry.
      between: async (waited) => {
        pass(30);
        if (waited > 200) await finish(secret);
      },
    });
    expect(later).toMatchObject({ code: 0, stderr: expect.stringContaining("createSecret  failed: busy") });

    const never = await run(`rotate ${await createSecret()} --wait --json`, {
      at: aws,
      between: async () => pass(10),
    });
    expect(never.code).toBe(5);
    const { seconds, signs } = JSON.parse(never.stdout) as { seconds: number; signs: object[] };
    expect(seconds).toBeGreaterThanOrEqual(240);
    expect(seconds).toBeLessThan(260);
    expect(signs[0]).toMatchObject({ is: "log", step: "createSecret", message: "Step failed", failure: "busy" });
  });

  test("a step that failed and then went well has not failed", async () => {
    let isDone = false;
    aws.log = (version) => [
      line({ version, level: "ERROR", message: "Step failed", reason: "busy" }),
      ...(isDone ? [line({ version })] : []),
    ];
    const ran = await run(`rotate ${await createSecret()} --wait --timeout 400`, {
      at: aws,
      between: async () => {
        pass(60);
        isDone = true;
      },
    });
    expect(ran.code).toBe(6);
  });

  test("a function that has not run yet has no log group, which is waited for", async () => {
    const secret = await createSecret();
    const ran = await run(`rotate ${secret} --wait`, {
      at: aws,
      between() {
        if (aws.log) return finish(secret);
        aws.log = (version) => [line({ version })];
        return undefined;
      },
    });
    expect(ran.stderr).toContain("createSecret  Step done");
    expect(ran).toMatchObject({ code: 0, stderr: expect.not.stringContaining("cannot be read") });
  });
});
