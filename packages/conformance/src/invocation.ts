/** What travels between the suite and the process that runs the rotator. */

/** Asks the process to call the handler. */
export interface Invocation {
  /** Written to both output streams when the handler has answered, so that the suite knows that it has seen all of them. */
  readonly mark: string;
  readonly event: unknown;
  /** What getRemainingTimeInMillis starts from. */
  readonly remainingMs: number;
}

/** What the handler threw, as far as it can leave the process. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** RotationError's code and advice. */
  readonly code?: string;
  readonly advice?: string;
}

export type Answer =
  | { readonly is: "ready" }
  | { readonly is: "done" }
  | { readonly is: "failed"; readonly error: ThrownError };
