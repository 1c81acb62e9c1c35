import fc from "fast-check";
import * as v from "valibot";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { reactions, scriptedClient } from "../test/scripted-client.ts";
import { createSecretCache } from "./index.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"] }));
afterEach(() => void vi.useRealTimers());

type Action =
  | { readonly do: "get" | "refreshNow" | "refreshNow, refused" }
  | { readonly do: "answer" | "fail"; readonly which: number }
  | { readonly do: "pass"; readonly ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constantFrom("get" as const, "refreshNow" as const, "refreshNow, refused" as const) }),
  fc.record({ do: fc.constantFrom("answer" as const, "answer" as const, "fail" as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(150, 950, 1_000, 3_000) }),
);

it("in whatever order calls are answered, nobody gets an older answer than somebody before, and nobody waits for ever", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60, size: "max" }), async (actions) => {
      const { client, calls } = scriptedClient();
      const cache = createSecretCache({ client, schema: v.number(), ttlMs: 1_000, staleLimitMs: 3_000 });
      const open = new Set<number>();
      let [known, latest, waiting] = [0, -1, 0];

      async function settle(asking: Promise<number>): Promise<void> {
        const floor = latest;
        waiting++;
        const got = await asking.catch(() => undefined);
        waiting--;
        if (got === undefined) return;
        expect(got).toBeGreaterThanOrEqual(floor);
        latest = Math.max(latest, got);
      }

      async function end(number: number, isAnswer: boolean): Promise<void> {
        open.delete(number);
        // The value is the call's number, and so is its version.
        if (isAnswer) await calls[number]?.answer(`v${number}`, number);
        else await calls[number]?.fail(new Error("outage"));
      }

      const settling: Promise<void>[] = [];
      for (const each of actions) {
        if (each.do === "get") settling.push(settle(cache.get("db")));
        if (each.do === "refreshNow") settling.push(settle(cache.refreshNow("db")));
        if (each.do === "refreshNow, refused") settling.push(settle(cache.refreshNow("db", { refused: latest })));
        if (each.do === "pass") vi.advanceTimersByTime(each.ms);
        while (known < calls.length) open.add(known++);
        const chosen = [...open][("which" in each ? each.which : 0) % Math.max(1, open.size)];
        if ((each.do === "answer" || each.do === "fail") && chosen !== undefined)
          await end(chosen, each.do === "answer");
        else await reactions();
      }
      while (known < calls.length) open.add(known++);
      for (const number of open) await end(number, true);
      await Promise.all(settling);
      expect(waiting).toBe(0);
    }),
    { numRuns: 500 },
  );
});
