/** The time that an invocation has left, handed out to its network calls. */
export interface Deadline {
  /** Milliseconds until the platform ends the invocation. */
  remainingMs(): number;
  /**
   * Milliseconds that the next network call may take: half of what is left, so that a call that is never answered is reported by name
   * before the platform ends the invocation, and a call after it still has time.
   */
  share(): number;
}

/** @param remainingMs e.g. the Lambda context's getRemainingTimeInMillis */
export function deadlineOf(remainingMs: () => number): Deadline {
  return { remainingMs, share: () => Math.max(1, Math.floor(remainingMs() / 2)) };
}
