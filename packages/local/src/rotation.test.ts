import { describe, expect, it } from "vitest";
import { course, promote, token, versionWith } from "../test/endpoint.ts";
import { IN_PROGRESS, SUCCESS, withSecret } from "../test/rotating-secret.ts";
import type { LocalEvent } from "./index.ts";

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
    const logged: string[][] = [];
    const { local, sm, rotate, labels } = await withSecret({}, async (event, started, normal) => {
      logged.push(started.local.events.map(({ name }) => name));
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
    expect(logged[0]).toContain("RotateSecret");
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

  describe("with promotedPending: removed", () => {
    const removed = { promotedPending: "removed" } as const;

    it("leaves no AWSPENDING behind once it is over, and the next one follows", async () => {
      const during: unknown[] = [];
      const { local, rotate, labels } = await withSecret(removed, async (event, { sm }, normal) => {
        await normal(event);
        if (event.Step === "finishSecret") during.push(await versionWith(sm, "a", "AWSPENDING"));
      });
      for (const turn of ["2", "3"]) {
        await rotate({ ClientRequestToken: token(turn) });
        await local.settled();
      }
      expect(during).toEqual([token("2"), token("3")]);
      expect(await labels()).toEqual({ [token("2")]: ["AWSPREVIOUS"], [token("3")]: ["AWSCURRENT"] });
    });

    it("does so where somebody else finishes it after it was given up, and keeps what is not promoted", async () => {
      const { local, sm, rotate, labels } = await withSecret(removed, async (event, _started, normal) => {
        if (event.Step === "setSecret") throw new Error("no");
        await normal(event);
      });
      await rotate({ ClientRequestToken: token("2") });
      await local.settled();
      expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"], [token("2")]: ["AWSPENDING"] });
      await promote(sm, "a", token("2"));
      expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [token("2")]: ["AWSCURRENT"] });
    });
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
    const { local, rotate, labels, value, events } = await withSecret({}, async (event, _started, normal) => {
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
    expect(new Set(events.map(({ RotationToken }) => RotationToken)).size).toBe(1);
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
