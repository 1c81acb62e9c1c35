import { describe, expect, it } from "vitest";
import { course, promote, type Started, stage, token, versionWith } from "../test/endpoint.ts";
import { IN_PROGRESS, SUCCESS, withSecret } from "../test/rotating-secret.ts";
import type { LocalOptions, RotationEvent } from "./index.ts";

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

  it("the service refuses another rotation for as long as it goes on", async () => {
    const { local, rotate } = await withSecret({}, async (event, started) => {
      await early(event, started);
      if (event.Step === "testSecret") await expect(rotate()).rejects.toMatchObject(IN_PROGRESS);
    });
    await rotate();
    await local.settled();
    expect(course(local.events)).toEqual(SUCCESS);
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

  it("the service counts it as over also if finishSecret fails after the move, if so set, and tries no more", async () => {
    const options: LocalOptions = { afterEarlyPromotion: "over", rotationRetry: { attempts: 3, delayMs: 60_000 } };
    const { local, rotate, value } = await withSecret(options, async (event, _started, normal) => {
      await normal(event);
      if (event.Step === "finishSecret") throw new Error("killed after the move");
    });
    await rotate();
    await local.settled();
    expect(course(local.events).slice(-2)).toEqual(["finishSecret failed", "RotationSucceeded"]);
    expect(await value()).toBe("v+");
  });
});
