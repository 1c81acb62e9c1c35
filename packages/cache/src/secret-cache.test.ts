import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Call, reactions, scriptedClient } from "../test/scripted-client.ts";
import { createSecretCache, type SecretCacheEvent, type SecretCacheOptions } from "./index.ts";

const login = v.object({ username: v.string(), password: v.string() });
type Login = v.InferOutput<typeof login>;

const first = { username: "app", password: "hunter-1" };
const second = { username: "app_clone", password: "hunter-2" };

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const seconds = (n: number) => n * 1_000;
const minutes = (n: number) => n * 60_000;
const hours = (n: number) => n * 3_600_000;
const pass = (ms: number) => void vi.advanceTimersByTime(ms);

function start(options: Partial<SecretCacheOptions<Login>> = {}) {
  const { client, calls } = scriptedClient();
  const events: SecretCacheEvent[] = [];
  const cache = createSecretCache({ schema: login, client, onEvent: (event) => events.push(event), ...options });
  const call = (number: number): Call => {
    const found = calls[number];
    if (!found) throw new Error(`There were ${calls.length} calls.`);
    return found;
  };
  /** A cache that holds the first version. */
  const holding = async () => {
    const getting = cache.get("db");
    await call(0).answer("v1", first);
    return getting;
  };
  return { cache, calls, call, events, holding };
}

const outage = Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });

describe("what is held", () => {
  it("is given without a call until its TTL is over, and then fetched", async () => {
    const { cache, calls, call, holding } = start({ ttlMs: minutes(5) });
    expect(await holding()).toEqual(first);
    pass(minutes(3.4));
    expect(await cache.get("db")).toEqual(first);
    expect(calls).toHaveLength(1);
    pass(minutes(1.6));
    const getting = cache.get("db");
    await call(1).answer("v2", second);
    expect(await getting).toEqual(second);
  });

  it("is fetched anew in the background shortly before its TTL is over, while it is still given", async () => {
    const { cache, calls, call, holding } = start({ ttlMs: minutes(10) });
    await holding();
    pass(minutes(9.1));
    expect(await cache.get("db")).toEqual(first);
    expect(await cache.get("db")).toEqual(first);
    expect(calls).toHaveLength(2);
    await call(1).answer("v2", second);
    expect(await cache.get("db")).toEqual(second);
    expect(calls).toHaveLength(2);
  });

  it("is fetched in the background at another age each time, so that many processes do not call at once", async () => {
    const ages: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { cache, calls, holding } = start({ ttlMs: 1_000 });
      await holding();
      for (let age = 0; age < 1_000 && calls.length < 2; age += 10) {
        pass(10);
        await cache.get("db");
        if (calls.length > 1) ages.push(age + 10);
      }
    }
    expect(ages).toHaveLength(20);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(700);
    expect(Math.max(...ages)).toBeLessThanOrEqual(910);
    expect(new Set(ages).size).toBeGreaterThan(5);
  });

  it("counts its age from the beginning of the call that brought it", async () => {
    const { cache, calls, call } = start({ ttlMs: minutes(5) });
    const getting = cache.get("db");
    pass(minutes(5));
    await call(0).answer("v1", first);
    expect(await getting).toEqual(first);
    void cache.get("db");
    expect(calls).toHaveLength(2);
  });

  it("is fetched anew after the process slept, although its monotonic clock stood still", async () => {
    const { cache, call, holding } = start({ ttlMs: minutes(5) });
    await holding();
    vi.setSystemTime(Date.now() + hours(9));
    const getting = cache.get("db");
    await call(1).answer("v2", second);
    expect(await getting).toEqual(second);
  });

  it("does not live longer when the system's clock is set back", async () => {
    const { cache, calls, holding } = start({ ttlMs: minutes(5) });
    await holding();
    vi.setSystemTime(Date.now() - hours(9));
    pass(minutes(5));
    void cache.get("db");
    expect(calls).toHaveLength(2);
  });

  it("makes way for another when it was least recently asked for", async () => {
    const { cache, calls, call, events } = start({ maxSecrets: 2 });
    for (const [i, id] of ["a", "b"].entries()) {
      const getting = cache.get(id);
      await call(i).answer("v1", first);
      await getting;
    }
    await cache.get("a");
    void cache.get("c");
    await cache.get("a");
    expect(calls.map(({ secretId }) => secretId)).toEqual(["a", "b", "c"]);
    void cache.get("b");
    expect(calls).toHaveLength(4);
    expect(events.filter(({ kind }) => kind === "evicted").map(({ secretId }) => secretId)).toEqual(["b", "c"]);
  });

  it("is another for each staging label", async () => {
    const { cache, calls, call } = start({ versionStage: "AWSPREVIOUS" });
    const getting = [cache.get("db"), cache.get("db", { versionStage: "AWSPENDING" })];
    expect(calls.map(({ versionStage }) => versionStage)).toEqual(["AWSPREVIOUS", "AWSPENDING"]);
    await call(0).answer("v1", first);
    await call(1).answer("v2", second);
    expect(await Promise.all(getting)).toEqual([first, second]);
  });

  it("is nothing that another cache knows of", async () => {
    const [a, b] = [start(), start()];
    await a.holding();
    void b.cache.get("db");
    expect(b.calls).toHaveLength(1);
  });
});

describe("one call", () => {
  it("serves all who ask at once", async () => {
    const { cache, calls, call } = start();
    const getting = Promise.all(Array.from({ length: 100 }, () => cache.get("db")));
    await call(0).answer("v1", first);
    expect(new Set(await getting)).toEqual(new Set([first]));
    expect(calls).toHaveLength(1);
  });

  it("goes on for the others when one caller gives up", async () => {
    const { cache, calls, call } = start();
    const impatient = new AbortController();
    const aborted = cache.get("db", { signal: impatient.signal });
    const patient = cache.get("db", { signal: new AbortController().signal });
    impatient.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await call(0).answer("v1", first);
    expect(await patient).toEqual(first);
    expect(calls).toHaveLength(1);
    await expect(cache.get("db", { signal: impatient.signal })).rejects.toThrow("enough");
  });

  it("that nobody waits for any more still fills the cache, and may fail without an unhandled rejection", async () => {
    const { cache, call } = start();
    const giveUp = async (id: string) => {
      const impatient = new AbortController();
      const aborted = expect(cache.get(id, { signal: impatient.signal })).rejects.toThrow("enough");
      impatient.abort(new Error("enough"));
      await aborted;
    };
    await giveUp("db");
    await call(0).answer("v1", first);
    expect(await cache.get("db")).toEqual(first);
    await giveUp("other");
    await call(1).fail(outage);
  });

  it("is not made for a caller who had given up before", async () => {
    const { cache, calls } = start();
    await expect(cache.get("db", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(calls).toHaveLength(0);
  });

  it("reads and checks a version's value once, however often it is fetched, and gives the same object", async () => {
    const validate = vi.spyOn(login["~standard"], "validate");
    const parse = vi.spyOn(JSON, "parse");
    const { cache, call, holding } = start({ ttlMs: minutes(5) });
    const held = await holding();
    pass(minutes(5));
    const getting = cache.get("db");
    await call(1).answer("v1", first);
    expect(await getting).toBe(held);
    expect(validate).toHaveBeenCalledOnce();
    expect(parse).toHaveBeenCalledOnce();
  });
});

describe("while calls fail", () => {
  it("the value that is held is given until its limit, counted from when it was fetched", async () => {
    const { cache, call, calls, events, holding } = start({ ttlMs: minutes(5), staleLimitMs: hours(1) });
    await holding();
    pass(minutes(30));
    const getting = cache.get("db");
    await call(1).fail(outage);
    expect(await getting).toEqual(first);
    pass(minutes(29.9));
    const later = cache.get("db");
    await calls[2]?.fail(outage);
    expect(await later).toEqual(first);
    pass(minutes(0.1));
    const failing = expect(cache.get("db")).rejects.toThrow("ThrottlingException: Rate exceeded");
    await call(3).fail(outage);
    await failing;
    expect(events.map(({ kind }) => kind).filter((kind) => kind === "stale")).toHaveLength(2);
  });

  it("a storm of callers makes few calls: the pause between them doubles up to its limit", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { cache, calls } = start();
    let failures = 0;
    for (let ms = 0; ms < hours(1); ms += 500) {
      const before = calls.length;
      const getting = cache.get("db").catch(() => failures++);
      if (calls.length > before) await calls[before]?.fail(outage);
      await getting;
      pass(500);
    }
    expect(failures).toBe(7_200);
    // After 0.1, 0.2, 0.4 ... 51.2 s, then one a minute.
    expect(calls.length).toBeGreaterThan(60);
    expect(calls.length).toBeLessThan(75);
  });

  const failsAgain = async ({ cache, calls }: ReturnType<typeof start>) => {
    const before = calls.length;
    const failing = expect(cache.get("db")).rejects.toThrow("Rate exceeded");
    await calls[before]?.fail(outage);
    await failing;
    return calls.length > before;
  };

  it.each([
    [
      "after a call that succeeded",
      async ({ cache, calls }: ReturnType<typeof start>) => {
        const getting = cache.get("db");
        await calls[2]?.answer("v1", first);
        await getting;
        pass(seconds(30));
      },
    ],
    ["when nobody has asked for a long time", async () => pass(minutes(60))],
  ])("the pause is short again %s", async (_when, meanwhile) => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const started = start({
      ttlMs: seconds(30),
      staleLimitMs: seconds(30),
      retryMs: { first: 100, longest: seconds(60) },
    });
    expect(await failsAgain(started)).toBe(true);
    pass(100);
    expect(await failsAgain(started)).toBe(true);
    pass(100);
    expect(await failsAgain(started)).toBe(false);
    pass(100);
    await meanwhile(started);
    expect(await failsAgain(started)).toBe(true);
    pass(100);
    expect(await failsAgain(started)).toBe(true);
  });

  it("processes do not try again in step", async () => {
    const again: boolean[] = [];
    for (let i = 0; i < 30; i++) {
      const started = start();
      await failsAgain(started);
      pass(75);
      again.push(await failsAgain(started));
    }
    expect(new Set(again)).toEqual(new Set([true, false]));
  });

  it("nobody waits for a call whose value can be served without, and the first good answer ends it", async () => {
    const { cache, call, calls, holding } = start({ ttlMs: minutes(5) });
    await holding();
    pass(minutes(6));
    const waiting = cache.get("db");
    await call(1).fail(outage);
    await waiting;
    pass(seconds(1));
    expect(await cache.get("db")).toEqual(first);
    expect(calls).toHaveLength(3);
    await call(2).answer("v2", second);
    expect(await cache.get("db")).toEqual(second);
  });

  it("but a failure of long ago says nothing about now: the call is waited for", async () => {
    const { cache, call, holding } = start({ ttlMs: minutes(5), retryMs: { first: 100, longest: minutes(1) } });
    await holding();
    pass(minutes(6));
    const waiting = cache.get("db");
    await call(1).fail(outage);
    await waiting;
    pass(minutes(2));
    const getting = cache.get("db");
    await call(2).answer("v2", second);
    expect(await getting).toEqual(second);
  });

  it("what a stand-in gives without a version id is a new version each time", async () => {
    const { cache, call } = start({ ttlMs: minutes(5) });
    for (const [number, value] of [first, second].entries()) {
      const getting = cache.get("db");
      await call(number).answer(undefined, value);
      expect(await getting).toEqual(value);
      pass(minutes(5));
    }
  });

  it("an error is not kept: the next call after the pause may succeed", async () => {
    const { cache, call } = start();
    const failing = expect(cache.get("db")).rejects.toMatchObject({ code: "service", secretId: "db", cause: outage });
    await call(0).fail(outage);
    await failing;
    await expect(cache.get("db")).rejects.toThrow("Rate exceeded");
    pass(100);
    const getting = cache.get("db");
    await call(1).answer("v1", first);
    expect(await getting).toEqual(first);
  });

  it("a refresh in the background fails without anybody's rejection", async () => {
    const { cache, call, calls, events, holding } = start({ ttlMs: minutes(10) });
    await holding();
    pass(minutes(9.5));
    expect(await cache.get("db")).toEqual(first);
    await call(1).fail(outage);
    expect(await cache.get("db")).toEqual(first);
    expect(calls).toHaveLength(2);
    expect(events.at(-2)).toMatchObject({
      kind: "fetch",
      reason: "early",
      outcome: "failed",
      error: { code: "service" },
    });
  });

  it("a version that the schema refuses is a failure like others: the last good value is given", async () => {
    const { cache, call, holding } = start({ ttlMs: minutes(5) });
    await holding();
    pass(minutes(5));
    const getting = cache.get("db");
    await call(1).answer("v2", { username: "app" });
    expect(await getting).toEqual(first);
  });
});

describe("refreshNow", () => {
  it("of a hundred connections that are refused at once is one call", async () => {
    const { cache, calls, call, holding } = start();
    const refused = await holding();
    const refreshing = Promise.all(Array.from({ length: 100 }, () => cache.refreshNow("db", { refused })));
    expect(calls).toHaveLength(2);
    await call(1).answer("v2", second);
    expect(new Set(await refreshing)).toEqual(new Set([second]));
    expect(await cache.refreshNow("db", { refused })).toEqual(second);
    expect(calls).toHaveLength(2);
  });

  it("does not fetch what has not changed more often than the rate limit allows", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { cache, calls, events, holding } = start({
      ttlMs: hours(2),
      refreshMs: { first: 100, longest: seconds(60) },
    });
    const refused = await holding();
    for (let ms = 0; ms < hours(1); ms += 500) {
      const before = calls.length;
      const refreshing = cache.refreshNow("db", { refused });
      if (calls.length > before) await calls[before]?.answer("v1", first);
      expect(await refreshing).toBe(refused);
      pass(500);
    }
    expect(calls.length).toBeGreaterThan(60);
    expect(calls.length).toBeLessThan(75);
    expect(events.filter(({ kind }) => kind === "limited").length).toBeGreaterThan(7_000);
  });

  it("sees a new version five seconds after it is there at the latest, however long logins were refused before", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { cache, calls, holding } = start({ ttlMs: hours(2) });
    const refused = await holding();
    const refreshed = async (versionId: string, value: Login) => {
      const before = calls.length;
      const refreshing = cache.refreshNow("db", { refused });
      await calls[before]?.answer(versionId, value);
      return refreshing;
    };
    for (let ms = 0; ms < hours(1); ms += 500) {
      expect(await refreshed("v1", first)).toBe(refused);
      pass(500);
    }
    expect(calls.length).toBeLessThan(730);
    pass(seconds(4.5));
    expect(await refreshed("v2", second)).toEqual(second);
  });

  it("waits for no pause of get's: who is locked out is let in as soon as an outage is over", async () => {
    const { cache, call, holding } = start({
      ttlMs: minutes(5),
      retryMs: { first: minutes(60), longest: minutes(60) },
    });
    const refused = await holding();
    pass(minutes(5));
    const stale = cache.get("db");
    await call(1).fail(outage);
    expect(await stale).toBe(refused);
    const refreshing = cache.refreshNow("db", { refused });
    await call(2).answer("v2", second);
    expect(await refreshing).toEqual(second);
  });

  it("that failed waits before it calls again, unless a call for another reason succeeds first", async () => {
    const { cache, call, calls, holding } = start({
      ttlMs: minutes(5),
      retryMs: { first: 1, longest: 1 },
      refreshMs: { first: minutes(60), longest: minutes(60) },
    });
    const refused = await holding();
    const refresh = () => cache.refreshNow("db", { refused });
    pass(minutes(5));
    const failing = expect(refresh()).rejects.toThrow("Rate exceeded");
    await call(1).fail(outage);
    await failing;
    await expect(refresh()).rejects.toThrow("Rate exceeded");
    expect(calls).toHaveLength(2);
    pass(1);
    void cache.get("db");
    await call(2).answer("v1", first);
    expect(await refresh()).toBe(refused);
    expect(calls).toHaveLength(3);
    pass(minutes(60));
    void refresh();
    expect(calls).toHaveLength(4);
  });

  it("gives nothing that get would not: the rate limit ends with the TTL", async () => {
    const { cache, call, holding } = start({
      ttlMs: minutes(5),
      refreshMs: { first: minutes(60), longest: minutes(60) },
    });
    await holding();
    const inVain = cache.refreshNow("db");
    await call(1).answer("v1", first);
    await inVain;
    pass(minutes(5));
    const refreshing = cache.refreshNow("db");
    await call(2).answer("v2", second);
    expect(await refreshing).toEqual(second);
  });

  it("is not limited by what get found unchanged", async () => {
    const { cache, call, calls, holding } = start({ ttlMs: minutes(10) });
    const refused = await holding();
    pass(minutes(9.5));
    await cache.get("db");
    await call(1).answer("v1", first);
    const refreshing = cache.refreshNow("db", { refused });
    expect(calls).toHaveLength(3);
    await call(2).answer("v2", second);
    expect(await refreshing).toEqual(second);
  });

  it("and a refresh that are answered at once with the same version give the same object", async () => {
    const { cache, call } = start();
    const asking = [cache.get("db"), cache.refreshNow("db")];
    void call(0).answer("v1", first);
    void call(1).answer("v1", first);
    const [one, other] = await Promise.all(asking);
    expect(one).toBe(other);
    expect(await cache.get("db")).toBe(one);
  });

  it("may fetch at once again when the last call brought something new", async () => {
    const { cache, call, holding } = start();
    const refused = await holding();
    const refreshing = cache.refreshNow("db", { refused });
    await call(1).answer("v2", second);
    const again = cache.refreshNow("db", { refused: await refreshing });
    await call(2).answer("v3", first);
    expect(await again).toEqual(first);
  });

  it("does not join a refresh that began before, whose older answer then changes nothing", async () => {
    const { cache, call, calls, events, holding } = start({ ttlMs: minutes(10) });
    const refused = await holding();
    pass(minutes(9.5));
    await cache.get("db");
    const refreshing = cache.refreshNow("db", { refused });
    expect(calls).toHaveLength(3);
    await call(2).answer("v2", second);
    expect(await refreshing).toEqual(second);
    await call(1).answer("v1", first);
    expect(await cache.get("db")).toEqual(second);
    expect(events.at(-2)).toMatchObject({ kind: "fetch", reason: "early", outcome: "outrun" });
  });

  it("is still joined by others when a call that began before it has been answered", async () => {
    const { cache, call, calls, holding } = start({ ttlMs: minutes(10) });
    const refused = await holding();
    pass(minutes(9.5));
    await cache.get("db");
    const refreshing = [cache.refreshNow("db", { refused })];
    await call(1).answer("v1", first);
    refreshing.push(cache.refreshNow("db", { refused }));
    expect(calls).toHaveLength(3);
    await call(2).answer("v2", second);
    expect(await Promise.all(refreshing)).toEqual([second, second]);
  });

  it("may fetch at once when a new version came by itself since it was in vain", async () => {
    const { cache, call, calls, holding } = start({
      ttlMs: minutes(5),
      refreshMs: { first: minutes(60), longest: minutes(60) },
    });
    await holding();
    const inVain = cache.refreshNow("db");
    await call(1).answer("v1", first);
    await inVain;
    await cache.refreshNow("db");
    expect(calls).toHaveLength(2);
    pass(minutes(5));
    const getting = cache.get("db");
    await call(2).answer("v2", second);
    await getting;
    void cache.refreshNow("db");
    expect(calls).toHaveLength(4);
  });

  it("is not harmed by the failure of a call that began before", async () => {
    const { cache, call, calls, holding } = start({ ttlMs: minutes(10) });
    const refused = await holding();
    pass(minutes(9.5));
    await cache.get("db");
    const refreshing = cache.refreshNow("db", { refused });
    await call(2).answer("v2", second);
    await call(1).fail(outage);
    expect(await refreshing).toEqual(second);
    const again = cache.refreshNow("db", { refused: second });
    expect(calls).toHaveLength(4);
    await call(3).answer("v3", first);
    expect(await again).toEqual(first);
  });

  it("says that the call failed, and get goes on with what is held", async () => {
    const { cache, call, holding } = start();
    const refused = await holding();
    const failing = expect(cache.refreshNow("db", { refused })).rejects.toMatchObject({ code: "service" });
    await call(1).fail(outage);
    await failing;
    await expect(cache.refreshNow("db", { refused })).rejects.toMatchObject({ code: "service" });
    expect(await cache.get("db")).toEqual(first);
  });

  it("ends for one caller by its signal", async () => {
    const { cache, call, holding } = start();
    await holding();
    const impatient = new AbortController();
    const aborted = expect(cache.refreshNow("db", { signal: impatient.signal })).rejects.toThrow("enough");
    const patient = cache.refreshNow("db");
    impatient.abort(new Error("enough"));
    await aborted;
    await call(1).answer("v2", second);
    expect(await patient).toEqual(second);
  });
});

describe("onEvent", () => {
  it("hears each get once and each call once, and no value", async () => {
    const { cache, call, events, holding } = start({ ttlMs: minutes(5), staleLimitMs: minutes(5) });
    await holding();
    await cache.get("db");
    pass(minutes(5));
    const failing = expect(cache.get("db")).rejects.toThrow("Rate exceeded");
    await call(1).fail(outage);
    await failing;
    expect(events.map(({ kind }) => kind)).toEqual(["fetch", "waited", "hit", "fetch", "failed"]);
    expect(events[0]).toEqual({
      kind: "fetch",
      reason: "missing",
      outcome: "new",
      durationMs: 0,
      secretId: "db",
      versionStage: "AWSCURRENT",
    });
    expect(JSON.stringify(events)).not.toContain("hunter");
  });

  it("that throws breaks nothing, and is a warning", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    const { holding } = start({
      onEvent: () => {
        throw new Error("no metrics today");
      },
    });
    expect(await holding()).toEqual(first);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("no metrics today"), "SecretCacheWarning"]]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no metrics today"))],
    [
      "throws what has no text",
      () => {
        throw Object.create(null);
      },
    ],
  ])("that %s breaks nothing either", async (_how, onEvent) => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    const { holding } = start({ onEvent });
    expect(await holding()).toEqual(first);
    await reactions();
    expect(warn).toHaveBeenCalledOnce();
  });
});

it.each([
  [{ ttlMs: 0 }, "ttlMs"],
  [{ ttlMs: Number.NaN }, "ttlMs"],
  [{ maxSecrets: -1 }, "maxSecrets"],
  [{ timeoutMs: 0.5 }, "timeoutMs"],
  [{ timeoutMs: Number.POSITIVE_INFINITY }, "timeoutMs"],
  [{ timeoutMs: 2 ** 31 }, "timeoutMs"],
  [{ retryMs: { first: 0, longest: 1 } }, "retryMs.first"],
  [{ refreshMs: { first: 1, longest: Number.NaN } }, "refreshMs.longest"],
  [{ ttlMs: 2, staleLimitMs: 1 }, "staleLimitMs"],
])("%o is refused at once", (options, name) => {
  expect(() => createSecretCache({ schema: login, ...options })).toThrow(name);
});

it.each([
  ["is not answered", { client: { send: () => new Promise(() => undefined) } }, /not answered within 20 ms/],
  [
    "never gets credentials",
    { client: new SecretsManagerClient({ credentials: () => new Promise(() => undefined) }) },
    /not answered within 20 ms/,
  ],
  [
    "brings what the schema never answers about",
    {
      client: { send: async () => ({ SecretString: "{}" }) },
      schema: v.pipeAsync(
        v.unknown(),
        v.checkAsync(() => new Promise(() => undefined)),
      ),
    },
    /the schema did not answer within 20 ms \[bad-secret\]/,
  ],
])("a call that %s ends by itself", async (_name, options, message) => {
  vi.useRealTimers();
  const cache = createSecretCache({ schema: v.unknown(), timeoutMs: 20, ...(options as object) });
  await expect(cache.get("db")).rejects.toThrow(message);
});
