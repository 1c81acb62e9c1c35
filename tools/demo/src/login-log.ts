/** A login as the server, or what stands before it, tells of it. */
export interface Login {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly outcome: "accepted" | "refused";
  /** Who logged in, where that can be told; of a refused login it often cannot. */
  readonly by?: "application" | "function";
}

/** What a server has told so far. */
export interface LoginLog {
  /** In order; it only ever grows. */
  readonly logins: readonly Login[];
  /** Reads what was added since the last time. */
  update(): Promise<void>;
}
