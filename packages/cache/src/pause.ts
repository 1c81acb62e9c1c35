import { ageOf, type Moment, now } from "./age.ts";

/** How soon a call that was in vain is made again, in milliseconds: the first time, and at the longest; it doubles in between. */
export interface PauseLimits {
  readonly first: number;
  readonly longest: number;
}

/** A time in which no call is made. */
export interface Pause {
  readonly since: Moment;
  readonly ms: number;
  /** How many calls in succession were in vain. */
  readonly times: number;
}

/** The pause after a call that was in vain: half of it to all of it, by chance, so that processes do not call in step. */
export function pauseAfter(previous: Pause | undefined, limits: PauseLimits): Pause {
  const { first, longest } = limits;
  const times = previous && isRecent(previous, limits) ? previous.times + 1 : 1;
  const ms = Math.min(longest, first * 2 ** (times - 1)) * (0.5 + Math.random() / 2);
  return { since: now(), ms, times };
}

export function isOver(pause: Pause | undefined): boolean {
  return pause === undefined || ageOf(pause.since) >= pause.ms;
}

/** Whether it says something about now: long after it nobody has tried. */
export function isRecent(pause: Pause, { longest }: PauseLimits): boolean {
  return ageOf(pause.since) < 2 * longest;
}
