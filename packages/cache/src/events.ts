import type { SecretCacheError, SecretName } from "./errors.ts";

/** Why Secrets Manager is asked: nothing is held, what is held is expired or soon will be, or refreshNow asks. */
export type FetchReason = "missing" | "expired" | "early" | "forced";

/**
 * What the cache did, for metrics; nothing in it holds a value.
 *
 * - each `get` is one of `hit` (from memory), `waited` (for a call), `stale` (from memory, older than its TTL, since calls fail) and `failed`
 * - each call of GetSecretValue is one `fetch`; `outrun`: a later call was answered first, and this answer was put aside
 * - `limited`: refreshNow gave what is held, since the rate limit forbids another call
 * - `evicted`: a secret made way for another
 */
export type SecretCacheEvent = SecretName &
  (
    | { readonly kind: "hit" | "stale" | "limited"; readonly ageMs: number }
    | { readonly kind: "waited"; readonly durationMs: number }
    | { readonly kind: "failed"; readonly error: SecretCacheError }
    | {
        readonly kind: "fetch";
        readonly reason: FetchReason;
        readonly outcome: "new" | "unchanged" | "outrun" | "failed";
        readonly durationMs: number;
        /** Present where the outcome is `failed`. */
        readonly error?: SecretCacheError;
      }
    | { readonly kind: "evicted" }
  );
