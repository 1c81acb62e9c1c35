import { describe, expect, it } from "vitest";
import { course, token } from "../test/endpoint.ts";
import { IN_PROGRESS, SUCCESS, withSecret } from "../test/rotating-secret.ts";
import type { LocalOptions } from "./index.ts";

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
    await local.settled();
    expect(course(local.events).at(-1)).toBe("setSecret succeeded");
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

  it("is abandoned by a value put by hand, and its version is removed then too", async () => {
    const { local, sm, rotate } = await withSecret({}, async (_event, { sm }) => {
      await sm.putSecretValue({ SecretId: "a", SecretString: "by hand", ClientRequestToken: token("3") });
    });
    await rotate({ RotateImmediately: false });
    await local.settled();
    const { Versions = [] } = await sm.listSecretVersionIds({ SecretId: "a", IncludeDeprecated: true });
    expect(Versions.map(({ VersionId }) => VersionId)).toEqual([token("1"), token("3")]);
    expect(course(local.events)).toEqual(["TestRotationStarted", "RotationAbandoned", "testSecret succeeded"]);
  });
});
