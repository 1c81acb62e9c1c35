import { deadlineOf, type RotationContext } from "@quarterturn/core";
import type { DatabaseSecret, singleUser } from "@quarterturn/database";
import { startFreezableProxy } from "@quarterturn-tools/engines";
import { expect, test } from "vitest";

/** What the test needs of an engine's own fixture. */
interface Fixture extends AsyncDisposable {
  readonly server: { readonly port: number };
  createUser(): Promise<DatabaseSecret>;
}

/**
 * Registers the test that single-user's setSecret notices a server that freezes.
 *
 * @param moments after how many answers it freezes, from one on: as many as a setSecret takes
 */
export function frozenServerTest<F extends Fixture>(
  moments: number,
  startFixture: () => Promise<F>,
  contextOf: (fixture: F) => RotationContext,
  rotator: () => ReturnType<typeof singleUser>,
  timeout?: number,
): void {
  test("a server that freezes at any moment of setSecret is reported before the deadline, or the step is done (promise 5)", {
    ...(timeout === undefined ? {} : { timeout }),
  }, async () => {
    await using fixture = await startFixture();
    const proxy = await startFreezableProxy(fixture.server.port);
    let current: DatabaseSecret = { ...(await fixture.createUser()), port: proxy.port };
    const rotate = async () => {
      const pending = { ...current, ...(await rotator().create(current, contextOf(fixture))) };
      const end = Date.now() + 2_000;
      const context = { ...contextOf(fixture), deadline: deadlineOf(() => end - Date.now()) };
      const started = Date.now();
      const outcome = await rotator()
        .set({ current, pending, previous: async () => undefined }, context)
        .then(
          () => "done",
          (error: { code: string }) => error.code,
        );
      expect(Date.now() - started).toBeLessThan(2_000);
      proxy.freezeAfter(Number.POSITIVE_INFINITY);
      // A retry with the same pending value converges, whatever the first try had done.
      await rotator().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
      current = pending;
      return outcome;
    };
    expect(await rotate()).toBe("done");
    const outcomes: string[] = [];
    for (let moment = 1; moment <= moments; moment++) {
      proxy.freezeAfter(moment);
      outcomes.push(await rotate());
    }
    proxy.close();
    expect(outcomes).toContain("timeout");
    expect(new Set(outcomes)).toEqual(new Set(["timeout", "done"]));
  });
}
