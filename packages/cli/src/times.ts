const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** e.g. `2026-11-21`, in UTC, as the service's schedules are. */
export const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

/** e.g. `2026-11-21 16:33 UTC`. */
export const minuteOf = (date: Date): string => `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** How long, in the largest unit of which it is one at least: `3 d`, `5 h`, `20 min`, `8 s`. */
export function lengthOf(milliseconds: number): string {
  if (milliseconds >= DAY) return `${Math.floor(milliseconds / DAY)} d`;
  if (milliseconds >= HOUR) return `${Math.floor(milliseconds / HOUR)} h`;
  if (milliseconds >= MINUTE) return `${Math.floor(milliseconds / MINUTE)} min`;
  return `${Math.max(0, Math.floor(milliseconds / 1000))} s`;
}
