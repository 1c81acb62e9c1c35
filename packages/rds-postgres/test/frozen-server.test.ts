import { deadlineOf } from "@quarterturn/core";
import { startFreezableProxy } from "@quarterturn-tools/engines";
import { frozenServerTest } from "@quarterturn-tools/test/frozen-server";
import { expect, test } from "vitest";
import { alternate, contextOf, multi, single, startFixture, successor } from "./fixture.ts";

frozenServerTest(20, startFixture, contextOf, single);

test("a session that the server ends while nothing is asked of it is an error of the step, the retry converges, and no connection stays open", async () => {
  await using fixture = await startFixture();
  const { superuser } = fixture;
  const current = await fixture.createUser();
  const pending = await successor(current, multi());
  const sessions = () => superuser.query("SELECT FROM pg_stat_activity WHERE usename LIKE 'app%' OR usename = 'boss'");
  const set = (requirePending: () => Promise<void>) =>
    multi().set({ current, pending, previous: async () => undefined }, { ...contextOf(fixture), requirePending });
  const endIdleSession = async () => {
    await superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'boss'");
    await expect.poll(async () => (await sessions()).rowCount).toBe(0);
  };
  await expect(set(endIdleSession)).rejects.toMatchObject({ code: "unreachable" });
  await set(async () => undefined);
  await multi().test(pending, contextOf(fixture));
  const rotation = { current: pending, pending: { ...pending, password: "next" }, previous: async () => undefined };
  await single().set(rotation, contextOf(fixture));
  await expect.poll(async () => (await sessions()).rowCount).toBe(0);
});

test("a server that freezes at any moment of a twin's testSecret is reported before the deadline, or the step is done (promise 5)", async () => {
  await using fixture = await startFixture();
  const proxy = await startFreezableProxy(fixture.server.port);
  const twin = { ...(await alternate(fixture, await fixture.createUser())), port: proxy.port };
  const outcomes: string[] = [];
  for (let moment = 1; outcomes.at(-1) !== "done"; moment++) {
    proxy.freezeAfter(moment);
    const end = Date.now() + 1_000;
    const context = { ...contextOf(fixture), deadline: deadlineOf(() => end - Date.now()) };
    const outcome = await multi()
      .test(twin, context)
      .then(
        () => "done",
        (error: { code: string }) => error.code,
      );
    outcomes.push(outcome);
    expect(Date.now()).toBeLessThan(end);
  }
  proxy.close();
  expect(new Set(outcomes)).toEqual(new Set(["timeout", "done"]));
});
