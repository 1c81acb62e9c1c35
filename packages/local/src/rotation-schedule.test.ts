import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { token, versionWith } from "../test/endpoint.ts";
import { withSecret } from "../test/rotating-secret.ts";

describe("a schedule", () => {
  const at = (time: string) => new Date(time);

  it("has NextRotationDate be the window's last second, and the rotation happen when the window opens", async () => {
    let clock = at("2026-01-10T05:30:00Z");
    const { local, sm, rotate, events } = await withSecret({ now: () => clock });
    await rotate({ RotationRules: { ScheduleExpression: "cron(0 8 * * ? *)", Duration: "4h" } });
    await local.settled();
    const next = async () => (await sm.describeSecret({ SecretId: "a" })).NextRotationDate;
    expect(await next()).toEqual(at("2026-01-10T11:59:59Z"));
    expect((await sm.describeSecret({ SecretId: "a" })).RotationRules).toEqual({
      AutomaticallyAfterDays: 1,
      ScheduleExpression: "cron(0 8 * * ? *)",
      Duration: "4h",
    });
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

  it("counts from when a rotation succeeded, and not from when it was asked for", async () => {
    let clock = at("2026-01-10T05:30:00Z");
    const { local, sm, rotate } = await withSecret({ now: () => clock }, async (event, _started, normal) => {
      await normal(event);
      if (event.Step === "finishSecret") clock = at("2026-01-15T05:30:00Z");
    });
    await rotate({ RotationRules: { ScheduleExpression: "rate(10 days)" } });
    await local.settled();
    expect((await sm.describeSecret({ SecretId: "a" })).NextRotationDate).toEqual(at("2026-01-25T23:59:59Z"));
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
