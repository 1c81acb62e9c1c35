import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { course, plusFunction, promote, type Started, stage, start, token, versionWith } from "../test/endpoint.ts";
import type { LocalEvent, LocalOptions, RotationEvent } from "./index.ts";

type Handler = (event: RotationEvent) => Promise<unknown>;

const NO_RETRY = { attempts: 0, delayMs: 0 };

/** An endpoint with a secret of value "v", whose function f is `handler` around, or instead of, the normal one. */
async function withSecret(
  options: LocalOptions = {},
  handler: (event: RotationEvent, started: Started, normal: Handler) => Promise<unknown> = (event, _started, normal) =>
    normal(event),
) {
  const events: RotationEvent[] = [];
  const started: Started = await start({
    rotationRetry: NO_RETRY,
    ...options,
    functions: {
      f: (event) => {
        events.push(event);
        return handler(
          event,
          started,
          plusFunction(() => started.sm),
        );
      },
    },
  });
  const { local, sm } = started;
  await sm.createSecret({ Name: "a", SecretString: "v", ClientRequestToken: token("1") });
  const rotate = (more: object = {}) =>
    sm.rotateSecret({ SecretId: "a", RotationLambdaARN: local.functionArn("f"), ...more });
  const labels = async () => (await sm.describeSecret({ SecretId: "a" })).VersionIdsToStages;
  const value = async () => (await sm.getSecretValue({ SecretId: "a" })).SecretString;
  return { local, sm, events, rotate, labels, value };
}

const SUCCESS = [
  "RotationStarted",
  "createSecret succeeded",
  "setSecret succeeded",
  "testSecret succeeded",
  "finishSecret succeeded",
  "RotationSucceeded",
];

const IN_PROGRESS = {
  name: "InvalidRequestException",
  message: "A previous rotation isn't complete. That rotation will be reattempted.",
};

describe("a rotation", () => {
  it("runs the four steps in order, with the secret's ARN, the pending version's id and a rotation token", async () => {
    const { local, sm, events, rotate, labels, value } = await withSecret();
    const { ARN = "", VersionId = "" } = await rotate();
    await local.settled("a");
    expect(events.map(({ Step }) => Step)).toEqual(["createSecret", "setSecret", "testSecret", "finishSecret"]);
    for (const event of events) {
      expect(event).toMatchObject({ SecretId: ARN, ClientRequestToken: VersionId });
      expect(event.RotationToken).toMatch(/^[a-zA-Z0-9-]{36,256}$/);
    }
    expect(await value()).toBe("v+");
    expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [VersionId]: ["AWSCURRENT", "AWSPENDING"] });
    expect(course(local.events)).toEqual(SUCCESS);
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: local.functionArn("f"),
      LastRotatedDate: expect.any(Date),
    });
  });

  it("is answered before the function runs, and shows its version as AWSPENDING without a value", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { local, sm, rotate, labels } = await withSecret({}, async (event, _started, normal) => {
      await released;
      await normal(event);
    });
    const { VersionId = "" } = await rotate();
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"], [VersionId]: ["AWSPENDING"] });
    for (const which of [{ VersionId }, { VersionStage: "AWSPENDING" }]) {
      await expect(sm.getSecretValue({ SecretId: "a", ...which })).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
    }
    release();
    await local.settled();
    expect(course(local.events)).toEqual(SUCCESS);
  });

  it("can follow another, as AWSPENDING on the current version is no rotation in progress", async () => {
    const { local, rotate, value } = await withSecret();
    for (const _turn of [1, 2, 3]) {
      await rotate();
      await local.settled();
    }
    expect(await value()).toBe("v+++");
  });

  it("takes a function by its bare name too, and the one of last time without an argument", async () => {
    const { local, sm, value } = await withSecret();
    await sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f" });
    await local.settled();
    await sm.rotateSecret({ SecretId: "a" });
    await local.settled();
    expect(await value()).toBe("v++");
    expect((await sm.describeSecret({ SecretId: "a" })).RotationLambdaARN).toBe(local.functionArn("f"));
  });

  it("is begun once only, if the client repeats its call with the same token", async () => {
    const { local, rotate, events } = await withSecret();
    const request = { ClientRequestToken: token("2") };
    await Promise.all([rotate(request), rotate(request)]);
    await local.settled();
    await rotate(request);
    await local.settled();
    expect(events).toHaveLength(4);
  });

  it.each([
    [{}, "InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."],
    [
      { RotationLambdaARN: "arn:aws:lambda:us-east-1:000000000000:function:other" },
      "AccessDeniedException",
      "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    ],
    [{ RotationLambdaARN: "file:///etc/passwd" }, "AccessDeniedException", /cannot invoke/],
    [{ RotationLambdaARN: "http://127.0.0.1:1/" }, "AccessDeniedException", /cannot invoke/],
    [{ RotationLambdaARN: "__proto__" }, "AccessDeniedException", /cannot invoke/],
    [
      { RotationLambdaARN: "f", RotationRules: { ScheduleExpression: "rate(1 hour)" } },
      "InvalidParameterException",
      /four/,
    ],
  ])("is refused for %j, and nothing is changed", async (request, name, message) => {
    const { sm, labels } = await withSecret();
    await expect(sm.rotateSecret({ SecretId: "a", ...request })).rejects.toMatchObject({
      name,
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
    expect(await sm.describeSecret({ SecretId: "a" })).not.toHaveProperty("RotationEnabled");
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"] });
  });
});

describe("a step that fails", () => {
  it("has the whole rotation tried again, as often as set, with the same version", async () => {
    let failures = 2;
    const { local, rotate, events, value } = await withSecret(
      { rotationRetry: { attempts: 2, delayMs: 5 } },
      async (event, _started, normal) => {
        if (event.Step === "setSecret" && failures-- > 0) throw new TypeError("no route");
        await normal(event);
      },
    );
    await rotate();
    await local.settled();
    expect(course(local.events)).toEqual([
      "RotationStarted",
      ...["createSecret succeeded", "setSecret failed", "RotationFailed"],
      ...["createSecret succeeded", "setSecret failed", "RotationFailed"],
      ...SUCCESS.slice(1),
    ]);
    expect(new Set(events.map(({ ClientRequestToken }) => ClientRequestToken)).size).toBe(1);
    expect(await value()).toBe("v+");
    expect(local.events.filter(({ name }) => name === "setSecret")).toMatchObject([
      { attempt: 1, outcome: "failed", errorType: "TypeError", errorMessage: "no route" },
      { attempt: 2, outcome: "failed" },
      { attempt: 3, outcome: "succeeded" },
    ]);
    expect(local.events.filter(({ name }) => name === "RotationFailed")).toMatchObject([
      { willRetry: true, message: "setSecret: TypeError: no route" },
      { willRetry: true },
    ]);
  });

  it("is given up after the last try: AWSPENDING stays, and RotateSecret has that version tried again", async () => {
    let works = false;
    const { local, rotate, labels, value } = await withSecret({}, async (event, _started, normal) => {
      if (event.Step === "testSecret" && !works) throw new Error("refused");
      await normal(event);
    });
    await rotate({ ClientRequestToken: token("2") });
    await local.settled();
    expect(local.events.at(-1)).toMatchObject({ name: "RotationFailed", willRetry: false });
    expect(await labels()).toMatchObject({ [token("2")]: ["AWSPENDING"] });
    works = true;
    await expect(rotate({ ClientRequestToken: token("3") })).rejects.toMatchObject(IN_PROGRESS);
    await local.settled();
    expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [token("2")]: ["AWSCURRENT", "AWSPENDING"] });
    expect(await value()).toBe("v+");
  });

  it("frees the secret for a new rotation when an operator takes AWSPENDING away", async () => {
    let works = false;
    const { local, sm, rotate, value } = await withSecret({}, async (event, _started, normal) => {
      if (event.Step === "setSecret" && !works) throw new Error("bad value");
      await normal(event);
    });
    await rotate({ ClientRequestToken: token("2") });
    await local.settled();
    await sm.updateSecretVersionStage({ SecretId: "a", VersionStage: "AWSPENDING", RemoveFromVersionId: token("2") });
    works = true;
    await rotate({ ClientRequestToken: token("3") });
    await local.settled();
    expect(await versionWith(sm, "a", "AWSCURRENT")).toBe(token("3"));
    expect(await value()).toBe("v+");
  });

  it("is one whose finishSecret returns without having moved AWSCURRENT", async () => {
    const { local, rotate, labels } = await withSecret({}, async (event, _started, normal) => {
      if (event.Step !== "finishSecret") await normal(event);
    });
    await rotate({ ClientRequestToken: token("2") });
    await local.settled();
    expect(local.events.at(-1)).toMatchObject({
      name: "RotationFailed",
      message: expect.stringMatching("AWSCURRENT has not moved"),
    });
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"], [token("2")]: ["AWSPENDING"] });
  });

  it("is logged without any secret value, raw or escaped, also one that the function made up", async () => {
    const secrets = ["s3cr3t-current", 'new"pa\\ss'];
    const { local, sm, rotate } = await withSecret({}, async (event, { sm }) => {
      if (event.Step === "createSecret") {
        await sm.putSecretValue({
          SecretId: event.SecretId,
          ClientRequestToken: event.ClientRequestToken,
          SecretString: JSON.stringify({ username: "app", password: secrets[1] }),
          VersionStages: ["AWSPENDING"],
        });
        return;
      }
      const values = [...secrets, JSON.stringify(secrets[1])];
      throw new Error(`ALTER USER app PASSWORD ${values.join(" or ")}`);
    });
    const SecretString = JSON.stringify({ username: "app", password: secrets[0] });
    await sm.putSecretValue({ SecretId: "a", SecretString });
    await rotate();
    await local.settled();
    expect(local.events.at(-1)).toMatchObject({
      message: 'setSecret: Error: ALTER USER app PASSWORD *** or *** or "***"',
    });
    const log = JSON.stringify(local.events);
    for (const value of secrets) expect(log).not.toContain(value);
  });
});

describe("while a rotation is in progress", () => {
  /** A rotation to version 2 that waits in setSecret until it is let go. */
  async function inSetSecret(options: LocalOptions = {}) {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const test = await withSecret(options, async (event, _started, normal) => {
      await normal(event);
      if (event.Step !== "setSecret" || event.ClientRequestToken !== token("2")) return;
      reached.resolve();
      await released.promise;
    });
    await test.rotate({ ClientRequestToken: token("2") });
    await reached.promise;
    return { ...test, release: () => released.resolve() };
  }

  it("another is refused", async () => {
    const { local, rotate, release } = await inSetSecret();
    await expect(rotate()).rejects.toMatchObject(IN_PROGRESS);
    release();
    await local.settled();
    expect(course(local.events)).toEqual(SUCCESS);
  });

  it("a value put by hand abandons it: AWSPENDING goes, and no further step runs", async () => {
    const { local, sm, labels, release } = await inSetSecret();
    await sm.putSecretValue({ SecretId: "a", SecretString: "by hand", ClientRequestToken: token("3") });
    expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [token("3")]: ["AWSCURRENT"] });
    release();
    await local.settled();
    expect(course(local.events)).toEqual([
      "RotationStarted",
      "createSecret succeeded",
      "RotationAbandoned",
      "setSecret succeeded",
    ]);
  });

  it("CancelRotateSecret turns rotation off, runs no further step, and leaves AWSPENDING", async () => {
    const { local, sm, labels, release, rotate, value } = await inSetSecret();
    expect(await sm.cancelRotateSecret({ SecretId: "a" })).toMatchObject({ VersionId: token("2") });
    release();
    await local.settled();
    expect(course(local.events).at(-1)).toBe("setSecret succeeded");
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"], [token("2")]: ["AWSPENDING"] });
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({ RotationEnabled: false });
    expect(await sm.cancelRotateSecret({ SecretId: "a" })).toMatchObject({ Name: "a" });
    await expect(rotate()).rejects.toMatchObject(IN_PROGRESS);
    await sm.updateSecretVersionStage({ SecretId: "a", VersionStage: "AWSPENDING", RemoveFromVersionId: token("2") });
    await rotate();
    await local.settled();
    expect(await value()).toBe("v+");
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({ RotationEnabled: true });
  });

  it("CancelRotateSecret ends the wait for a retry", async () => {
    const { local, sm, rotate } = await withSecret({ rotationRetry: { attempts: 9, delayMs: 60_000 } }, async () => {
      throw new Error("down");
    });
    await rotate();
    await expect.poll(() => course(local.events).at(-1)).toBe("RotationFailed");
    await sm.cancelRotateSecret({ SecretId: "a" });
    await local.settled("a");
    expect(course(local.events)).toHaveLength(3);
  });

  it("a RotationToken that is not its own is refused, and so is one after the rotation", async () => {
    const { local, sm, events, release } = await inSetSecret();
    const own = events[0]?.RotationToken ?? "";
    const put = (RotationToken: string, versionId = token("2")) =>
      sm.putSecretValue({
        SecretId: "a",
        SecretString: "v+",
        ClientRequestToken: versionId,
        VersionStages: ["AWSPENDING"],
        RotationToken,
      });
    expect(await put(own)).toMatchObject({ VersionId: token("2") });
    await expect(put(crypto.randomUUID())).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(put(own, token("3"))).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(put("short")).rejects.toMatchObject({ name: "ValidationException" });
    release();
    await local.settled();
    await expect(put(own)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  it("the value of its version cannot be overwritten", async () => {
    const { local, sm, release } = await inSetSecret();
    await expect(
      sm.putSecretValue({ SecretId: "a", SecretString: "other", ClientRequestToken: token("2") }),
    ).rejects.toMatchObject({ name: "ResourceExistsException" });
    release();
    await local.settled();
    expect(course(local.events)).toEqual(SUCCESS);
  });
});

describe("RotateImmediately=false", () => {
  it("runs testSecret alone, with a version that equals AWSCURRENT and is removed afterwards", async () => {
    let seen: string | undefined;
    const { local, sm, events, rotate, value } = await withSecret({}, async (_event, { sm }) => {
      seen = (await sm.getSecretValue({ SecretId: "a", VersionStage: "AWSPENDING" })).SecretString;
    });
    const RotationRules = { AutomaticallyAfterDays: 7 };
    const { VersionId } = await rotate({ RotateImmediately: false, RotationRules });
    await local.settled();
    expect(seen).toBe("v");
    expect(events).toMatchObject([{ Step: "testSecret", ClientRequestToken: VersionId }]);
    expect((await sm.listSecretVersionIds({ SecretId: "a", IncludeDeprecated: true })).Versions).toMatchObject([
      { VersionId: token("1"), VersionStages: ["AWSCURRENT"] },
    ]);
    expect(await value()).toBe("v");
    expect(course(local.events)).toEqual(["TestRotationStarted", "testSecret succeeded", "TestRotationSucceeded"]);
    const shown = await sm.describeSecret({ SecretId: "a" });
    expect(shown).toMatchObject({ RotationEnabled: true, RotationRules, NextRotationDate: expect.any(Date) });
    expect(shown).not.toHaveProperty("LastRotatedDate");
  });

  it("removes the version also when the test fails, does not repeat it, and keeps rotation on", async () => {
    const { local, sm, rotate, labels } = await withSecret({ rotationRetry: { attempts: 5, delayMs: 1 } }, async () => {
      throw new Error("no login");
    });
    await rotate({ RotateImmediately: false });
    await local.settled();
    expect(course(local.events)).toEqual(["TestRotationStarted", "testSecret failed", "TestRotationFailed"]);
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"] });
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({ RotationEnabled: true });
  });
});

describe("when setSecret has moved AWSCURRENT already", () => {
  const early = async (event: RotationEvent, { sm }: Started) => {
    if (event.Step === "createSecret") await stage(sm, event);
    if (event.Step === "setSecret") await promote(sm, event.SecretId, event.ClientRequestToken);
  };

  it("the service goes on with the steps, by default", async () => {
    const { local, rotate, value } = await withSecret({}, early);
    await rotate();
    await local.settled();
    expect(course(local.events)).toEqual(SUCCESS);
    expect(await value()).toBe("v+");
  });

  it("the service tries again after a failure, if it goes on", async () => {
    let failed = false;
    const { local, rotate } = await withSecret(
      { rotationRetry: { attempts: 1, delayMs: 1 } },
      async (event, started) => {
        if (event.Step !== "createSecret" || !failed) await early(event, started);
        if (event.Step !== "setSecret" || failed) return;
        failed = true;
        throw new Error("killed after the move");
      },
    );
    await rotate();
    await local.settled();
    expect(course(local.events).slice(2)).toEqual(["setSecret failed", "RotationFailed", ...SUCCESS.slice(1)]);
  });

  it("the service counts the rotation as over, if so set, and accepts another at once", async () => {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const { local, sm, rotate } = await withSecret({ afterEarlyPromotion: "over" }, async (event, started) => {
      await early(event, started);
      if (event.Step !== "setSecret" || event.ClientRequestToken !== token("2")) return;
      reached.resolve();
      await released.promise;
    });
    await rotate({ ClientRequestToken: token("2") });
    await reached.promise;
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({ LastRotatedDate: expect.any(Date) });
    await rotate({ ClientRequestToken: token("3") });
    await expect.poll(() => versionWith(sm, "a", "AWSCURRENT")).toBe(token("3"));
    released.resolve();
    await local.settled();
    const invocations = (versionId: string) =>
      local.events.flatMap((event) => (event.kind === "invocation" && event.versionId === versionId ? event.name : []));
    expect(invocations(token("2"))).toEqual(["createSecret", "setSecret"]);
    expect(invocations(token("3"))).toEqual(["createSecret", "setSecret"]);
    expect(local.events.filter(({ name }) => name === "RotationSucceeded")).toHaveLength(2);
    expect(local.events.filter(({ name }) => name === "RotationFailed")).toHaveLength(0);
  });
});

describe("a schedule", () => {
  const at = (time: string) => new Date(time);

  it("has NextRotationDate be the window's last second, and the rotation happen when the window opens", async () => {
    let clock = at("2026-01-10T05:30:00Z");
    const { local, sm, rotate, events } = await withSecret({ now: () => clock });
    await rotate({ RotationRules: { ScheduleExpression: "cron(0 8 * * ? *)", Duration: "4h" } });
    await local.settled();
    const next = async () => (await sm.describeSecret({ SecretId: "a" })).NextRotationDate;
    expect(await next()).toEqual(at("2026-01-10T11:59:59Z"));
    clock = at("2026-01-10T07:59:59Z");
    await sleep(400);
    expect(events).toHaveLength(4);
    clock = at("2026-01-10T08:00:00Z");
    await expect.poll(() => events.length).toBe(8);
    await local.settled();
    expect(await next()).toEqual(at("2026-01-11T11:59:59Z"));
    expect((await sm.describeSecret({ SecretId: "a" })).LastRotatedDate).toEqual(clock);
    await sm.cancelRotateSecret({ SecretId: "a" });
    expect(await next()).toBeUndefined();
    clock = at("2026-01-12T08:00:00Z");
    await sleep(400);
    expect(events).toHaveLength(8);
  });

  it("counts AutomaticallyAfterDays from the last rotation, or from a value put by hand", async () => {
    let clock = at("2026-01-10T05:30:00Z");
    const { local, sm, rotate } = await withSecret({ now: () => clock });
    await rotate({ RotationRules: { AutomaticallyAfterDays: 30 } });
    await local.settled();
    const next = async () => (await sm.describeSecret({ SecretId: "a" })).NextRotationDate;
    expect(await next()).toEqual(at("2026-02-09T23:59:59Z"));
    clock = at("2026-01-20T05:30:00Z");
    await sm.putSecretValue({ SecretId: "a", SecretString: "by hand" });
    expect(await next()).toEqual(at("2026-02-19T23:59:59Z"));
  });

  it("tries a pending version again when its time comes, instead of making another", async () => {
    let clock = at("2026-01-10T05:30:00Z");
    let works = false;
    const { local, sm, rotate } = await withSecret({ now: () => clock }, async (event, _started, normal) => {
      if (!works) throw new Error("down");
      await normal(event);
    });
    await rotate({ ClientRequestToken: token("2"), RotationRules: { ScheduleExpression: "rate(4 hours)" } });
    await local.settled();
    works = true;
    clock = at("2026-01-10T09:00:00Z");
    await expect.poll(() => versionWith(sm, "a", "AWSCURRENT")).toBe(token("2"));
  });
});

describe("the event log", () => {
  it("shows every call with its secret and its error, and tells listeners until they end it", async () => {
    const { local, sm } = await withSecret();
    const heard: LocalEvent[] = [];
    const end = local.onEvent((event) => heard.push(event));
    const { ARN } = await sm.describeSecret({ SecretId: "a" });
    await expect(sm.getSecretValue({ SecretId: "a", VersionStage: "none" })).rejects.toThrow();
    await expect(sm.getSecretValue({ SecretId: "b" })).rejects.toThrow();
    end();
    await sm.describeSecret({ SecretId: "a" });
    expect(heard).toEqual([
      {
        kind: "api-call",
        name: "DescribeSecret",
        secretArn: ARN,
        time: expect.any(Date),
        durationMs: expect.any(Number),
      },
      expect.objectContaining({ name: "GetSecretValue", secretArn: ARN, errorCode: "ResourceNotFoundException" }),
      expect.objectContaining({ name: "GetSecretValue", errorCode: "ResourceNotFoundException" }),
    ]);
    expect(heard[2]).not.toHaveProperty("secretArn");
  });
});
