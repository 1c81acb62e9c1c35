import { deadlineOf } from "@quarterturn/core";
import { startFreezableProxy } from "@quarterturn-tools/engines";
import { frozenServerTest } from "@quarterturn-tools/test/frozen-server";
import { expect, test } from "vitest";
import { alternate, contextOf, multi, single, startFixture } from "./fixture.ts";

frozenServerTest(20, startFixture, contextOf, single);

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
