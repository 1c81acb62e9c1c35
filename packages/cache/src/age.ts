/** A moment, on both clocks of the process. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export const now = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/**
 * Milliseconds since a moment, by the clock that saw more of them: the monotonic one stands still while a laptop or a function's environment
 * sleeps, and the other may be set back. So a value is never taken for younger than it is.
 */
export function ageOf(moment: Moment): number {
  return Math.max(performance.now() - moment.monotonic, Date.now() - moment.wall);
}
