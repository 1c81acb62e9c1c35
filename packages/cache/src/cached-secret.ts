import { ageOf, type Moment, now } from "./age.ts";
import type { SecretCacheError, SecretName } from "./errors.ts";
import type { FetchReason, SecretCacheEvent } from "./events.ts";
import { isOver, isRecent, type Pause, type PauseLimits, pauseAfter } from "./pause.ts";
import { isSameValue } from "./plain-data.ts";

/** A version of a secret, as Secrets Manager gave it. */
export interface Fetched<Value> {
  /** Undefined where a stand-in for Secrets Manager, in somebody's test, gives none: then no two versions are taken for the same. */
  readonly versionId: string | undefined;
  /** Reads the value. It is not asked for where this version is held already. @throws SecretCacheError */
  readonly value: () => Promise<Value>;
}

export interface Limits {
  /** In milliseconds, counted from the beginning of the call that brought the value or last confirmed it; as is the stale limit. */
  readonly ttlMs: number;
  readonly staleLimitMs: number;
  /** After a call that failed. */
  readonly retry: PauseLimits;
  /** Of refreshNow, after a call of its own that failed or found nothing new. */
  readonly refresh: PauseLimits;
}

interface Held<Value> {
  readonly versionId: string | undefined;
  readonly value: Value;
  /** The same, in one promise for all who ask. */
  readonly answer: Promise<Value>;
  readonly since: Moment;
  /** The age at which it is fetched anew while it is still served. */
  readonly earlyMs: number;
}

/** How a call ended. Never a rejection, since nobody may be waiting for it. */
type Landing<Value> = { readonly value: Value } | { readonly error: SecretCacheError };

interface Flight<Value> {
  readonly reason: FetchReason;
  readonly landing: Promise<Landing<Value>>;
}

/** One secret by one staging label: what is held of it, and the calls that are under way. It has no timers: it looks at the clock when asked. */
export class CachedSecret<Value> {
  readonly name: SecretName;
  readonly #limits: Limits;
  readonly #fetch: () => Promise<Fetched<Value>>;
  readonly #tell: ((event: SecretCacheEvent) => void) | undefined;
  #held: Held<Value> | undefined;
  /** The call that began last, while it is under way. */
  #flight: Flight<Value> | undefined;
  #started = 0;
  /** The number of the latest call that brought a value: an earlier one must not undo it. */
  #answered = 0;
  /** The last call failed: the next one that `get` makes waits. */
  #failure: { readonly error: SecretCacheError; readonly pause: Pause } | undefined;
  /**
   * The last call of refreshNow failed or found nothing new: its next one waits. The calls of `get` do not count, so that who is locked out
   * does not wait for the end of a pause that began in an outage.
   */
  #inVain: Pause | undefined;

  /** @param fetch rejects with a SecretCacheError */
  constructor(
    name: SecretName,
    limits: Limits,
    fetch: () => Promise<Fetched<Value>>,
    tell: ((event: SecretCacheEvent) => void) | undefined,
  ) {
    this.name = name;
    this.#limits = limits;
    this.#fetch = fetch;
    this.#tell = tell;
  }

  /** The value that is held if it is young enough, otherwise what a call brings; if that fails, the one that is held, up to its limit. */
  get(): Promise<Value> {
    const held = this.#held;
    if (!held) return this.#wait("missing");
    const ageMs = ageOf(held.since);
    if (ageMs >= this.#limits.ttlMs) return this.#wait("expired");
    if (ageMs >= held.earlyMs && !this.#flight && !this.#paused()) this.#start("early");
    this.#tell?.({ kind: "hit", ageMs, ...this.name });
    return held.answer;
  }

  /** Another value than the refused one, from a call that begins now if need be; the one that is held where the rate limit forbids a call. */
  async refreshNow(refused: Value | undefined): Promise<Value> {
    const held = this.#held;
    const isKnown = held && refused !== undefined && !isSameValue(held.value, refused);
    if (isKnown) return held.value;
    // A call for another reason may have been answered before that change happened of which the caller has just learned.
    const forced = this.#flight?.reason === "forced" ? this.#flight : undefined;
    if (!forced && !isOver(this.#inVain)) {
      if (this.#failure) throw this.#failure.error;
      const ageMs = held ? ageOf(held.since) : Number.POSITIVE_INFINITY;
      if (held && ageMs < this.#limits.ttlMs) {
        this.#tell?.({ kind: "limited", ageMs, ...this.name });
        return held.value;
      }
    }
    const landing = await (forced ?? this.#start("forced")).landing;
    if ("error" in landing) throw landing.error;
    return landing.value;
  }

  async #wait(reason: FetchReason): Promise<Value> {
    const asked = performance.now();
    const landing = this.#flight?.landing ?? this.#paused() ?? this.#start(reason).landing;
    // While calls fail, nobody waits for the next one to fail who can be served without.
    const isFailing = this.#failure && isRecent(this.#failure.pause, this.#limits.retry);
    const stale = isFailing ? this.#stale() : undefined;
    if (stale) return stale.value;
    const landed = await landing;
    if ("value" in landed) {
      this.#tell?.({ kind: "waited", durationMs: performance.now() - asked, ...this.name });
      return landed.value;
    }
    const lastResort = this.#stale();
    if (lastResort) return lastResort.value;
    this.#tell?.({ kind: "failed", error: landed.error, ...this.name });
    throw landed.error;
  }

  /** What is held, if it may be served although it could not be confirmed. */
  #stale(): Held<Value> | undefined {
    const ageMs = this.#held ? ageOf(this.#held.since) : Number.POSITIVE_INFINITY;
    if (ageMs >= this.#limits.staleLimitMs) return undefined;
    this.#tell?.({ kind: "stale", ageMs, ...this.name });
    return this.#held;
  }

  /** Why `get` may make no call now. */
  #paused(): { readonly error: SecretCacheError } | undefined {
    return isOver(this.#failure?.pause) ? undefined : this.#failure;
  }

  #start(reason: FetchReason): Flight<Value> {
    const flight = { reason, landing: this.#fly(reason, ++this.#started) };
    this.#flight = flight;
    void flight.landing.then(() => {
      if (this.#flight === flight) this.#flight = undefined;
    });
    return flight;
  }

  async #fly(reason: FetchReason, number: number): Promise<Landing<Value>> {
    const since = now();
    const end = (outcome: "new" | "unchanged" | "outrun" | "failed", error?: SecretCacheError) =>
      this.#tell?.({
        kind: "fetch",
        reason,
        outcome,
        durationMs: ageOf(since),
        ...(error && { error }),
        ...this.name,
      });
    try {
      const { versionId, value: read } = await this.#fetch();
      let known = this.#holding(versionId);
      const fetched = known ? known.value : await read();
      // The same version may have come by another call meanwhile: it is one object for everybody.
      known ??= this.#holding(versionId);
      if (number < this.#answered && this.#held) {
        end("outrun");
        return { value: this.#held.value };
      }
      this.#answered = number;
      this.#failure = undefined;
      if (!known) this.#inVain = undefined;
      else if (reason === "forced") this.#inVain = pauseAfter(this.#inVain, this.#limits.refresh);
      const { value, answer } = known ?? { value: fetched, answer: Promise.resolve(fetched) };
      this.#held = { versionId, value, answer, since, earlyMs: this.#limits.ttlMs * (0.7 + Math.random() * 0.2) };
      end(known ? "unchanged" : "new");
      return { value };
    } catch (thrown) {
      if (number < this.#answered && this.#held) {
        end("outrun");
        return { value: this.#held.value };
      }
      const error = thrown as SecretCacheError;
      this.#failure = { error, pause: pauseAfter(this.#failure?.pause, this.#limits.retry) };
      if (reason === "forced") this.#inVain = pauseAfter(this.#inVain, this.#limits.refresh);
      end("failed", error);
      return { error };
    }
  }

  #holding(versionId: string | undefined): Held<Value> | undefined {
    return versionId !== undefined && this.#held?.versionId === versionId ? this.#held : undefined;
  }
}
