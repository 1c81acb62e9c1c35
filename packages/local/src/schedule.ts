import { Cron } from "croner";
import { invalidParameter } from "./errors.ts";
import type { RotationRules, RotationWindow } from "./state.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A rotation may happen as often as every four hours. */
const SHORTEST_INTERVAL = 4 * HOUR;
const WINDOWS_CHECKED = 60;

interface Schedule {
  /** When the window after a rotation opens, or undefined if no more ever does. Milliseconds since 1970, UTC. */
  opensAfter(rotatedAt: number): number | undefined;
  /** How long the window stays open without a Duration. */
  closesAfter(opensAt: number): number;
}

/**
 * The rotation window that follows a rotation, in UTC.
 * AutomaticallyAfterDays and rate() count from the last rotation; cron() knows the calendar only. The window opens
 * on the hour (at midnight for days), and closes after Duration, else after an hour for a schedule in hours, else at
 * the end of the UTC day (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html).
 * @param rotatedAt milliseconds since 1970
 */
export function nextWindow(rules: RotationRules, rotatedAt: number): RotationWindow | undefined {
  const schedule = scheduleOf(rules);
  const opensAt = schedule?.opensAfter(rotatedAt);
  if (schedule === undefined || opensAt === undefined) return undefined;
  const hours = durationHours(rules);
  return { opensAt, closesAt: hours === undefined ? schedule.closesAfter(opensAt) : opensAt + hours * HOUR };
}

/**
 * How many days lie between two rotations, rounded up: what DescribeSecret shows as AutomaticallyAfterDays beside a
 * ScheduleExpression.
 */
export function daysBetweenRotations(rules: RotationRules, rotatedAt: number): number | undefined {
  const first = nextWindow(rules, rotatedAt);
  const second = first && nextWindow(rules, first.opensAt);
  return first && second && Math.max(1, Math.ceil((second.opensAt - first.opensAt) / DAY));
}

/** @throws InvalidParameterException for rules that the service's documentation rules out */
export function checkRules(rules: RotationRules, now: number): void {
  if (rules.AutomaticallyAfterDays !== undefined && rules.ScheduleExpression !== undefined) {
    throw invalidParameter("You cannot specify both rotation frequency and schedule expression together.");
  }
  let window = nextWindow(rules, now);
  if (window === undefined) {
    if (rules.ScheduleExpression !== undefined) throw invalidSchedule("it never comes due");
    return;
  }
  for (let checked = 0; checked < WINDOWS_CHECKED && window !== undefined; checked += 1) {
    const following = nextWindow(rules, window.opensAt);
    if (following !== undefined && following.opensAt - window.opensAt < SHORTEST_INTERVAL) {
      throw invalidSchedule("a secret can be rotated every four hours at most");
    }
    if (following !== undefined && window.closesAt > following.opensAt) {
      throw invalidParameter("The rotation window must not extend into the next rotation window: shorten Duration.");
    }
    if (window.closesAt > startOfDay(window.opensAt) + DAY && !isInHours(rules)) {
      throw invalidParameter("The rotation window must not extend into the next UTC day: shorten Duration.");
    }
    window = following;
  }
}

function scheduleOf(rules: RotationRules): Schedule | undefined {
  if (rules.ScheduleExpression !== undefined) return scheduleOfExpression(rules.ScheduleExpression);
  return rules.AutomaticallyAfterDays === undefined ? undefined : everyDays(rules.AutomaticallyAfterDays);
}

function scheduleOfExpression(expression: string): Schedule {
  const rate = /^rate\((\d+) (hour|hours|day|days)\)$/.exec(expression);
  if (rate) {
    const count = Number(rate[1]);
    const inHours = rate[2]?.startsWith("hour") === true;
    if (count < 1 || count * (inHours ? HOUR : DAY) > 999 * DAY) {
      throw invalidSchedule("a rate is between 4 hours and 999 days");
    }
    return inHours ? everyHours(count) : everyDays(count);
  }
  const cron = /^cron\(([^()]*)\)$/.exec(expression);
  if (cron?.[1] === undefined) throw invalidSchedule("it is neither rate(VALUE UNIT) nor cron(SIX FIELDS)");
  return byCalendar(cron[1]);
}

const everyHours = (count: number): Schedule => ({
  opensAfter: (rotatedAt) => Math.floor(rotatedAt / HOUR) * HOUR + count * HOUR,
  closesAfter: (opensAt) => opensAt + HOUR,
});

const everyDays = (count: number): Schedule => ({
  opensAfter: (rotatedAt) => startOfDay(rotatedAt) + count * DAY,
  closesAfter: (opensAt) => startOfDay(opensAt) + DAY,
});

function byCalendar(fields: string): Schedule {
  const [minutes, hours = "", dayOfMonth = "", month = "", dayOfWeek = "", year, ...rest] = fields.trim().split(/\s+/);
  if (year === undefined || rest.length > 0) throw invalidSchedule("cron() has six fields");
  if (minutes !== "0") throw invalidSchedule("the minutes must be 0");
  if (year !== "*") throw invalidSchedule("the year must be *");
  if ([dayOfMonth, dayOfWeek].filter((field) => field === "?").length !== 1) {
    throw invalidSchedule("one of day-of-month and day-of-week must be ?, and not both");
  }
  const days = [dayOfMonth, month, dayOfWeek === "L" ? "SAT" : dayOfWeek].map((field) => (field === "?" ? "*" : field));
  const cron = parseCron(`0 0 ${hours} ${days.join(" ")} *`);
  const closesAfterAnHour = isSeveralHours(hours);
  return {
    opensAfter: (rotatedAt) => cron.nextRun(new Date(rotatedAt))?.getTime(),
    closesAfter: (opensAt) => (closesAfterAnHour ? opensAt + HOUR : startOfDay(opensAt) + DAY),
  };
}

function parseCron(pattern: string): Cron {
  try {
    return new Cron(pattern, {
      mode: "7-part",
      timezone: "UTC",
      // Sunday is 1, and 2/10 is an increment that starts at 2.
      alternativeWeekdays: true,
      sloppyRanges: true,
      paused: true,
    });
  } catch (error) {
    throw invalidSchedule(error instanceof Error ? error.message : String(error));
  }
}

function isInHours(rules: RotationRules): boolean {
  const expression = rules.ScheduleExpression ?? "";
  return /^rate\(\d+ hours?\)$/.test(expression) || isSeveralHours(expression.split(/\s+/)[1] ?? "");
}

const isSeveralHours = (hoursField: string) => /[*/,-]/.test(hoursField);

const durationHours = ({ Duration }: RotationRules) =>
  Duration === undefined ? undefined : Number.parseInt(Duration, 10);

const startOfDay = (time: number) => Math.floor(time / DAY) * DAY;

const invalidSchedule = (reason: string) => invalidParameter(`The ScheduleExpression isn't valid: ${reason}.`);
