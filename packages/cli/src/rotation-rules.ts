import { checkRules, nextWindow } from "@quarterturn/local/schedule";
import { InvalidArgumentError, Option } from "commander";
import { Failure } from "./failure.ts";
import type { Secret } from "./secret.ts";
import { minuteOf } from "./times.ts";

export interface ScheduleFlags {
  readonly days?: number;
  readonly schedule?: string;
  readonly window?: string;
}

/** RotationRules of RotateSecret. */
export interface RotationRules {
  readonly AutomaticallyAfterDays?: number;
  readonly ScheduleExpression?: string;
  readonly Duration?: string;
}

const USUAL_DAYS = 30;

/** The options that say when a secret rotates. */
export const scheduleOptions: readonly Option[] = [
  new Option("--days <N>", `every so many days; if nothing says when: ${USUAL_DAYS}`)
    .argParser(readDays)
    .conflicts("schedule"),
  new Option("--schedule <EXPRESSION>", 'e.g. "rate(10 days)", "cron(0 2 ? * SUN *)", in UTC'),
  new Option("--window <HOURS>", "how long a rotation may be begun, e.g. 3h").argParser(readWindow),
];

function readDays(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= 1000) return days;
  throw new InvalidArgumentError("It is a whole number of days, 1 to 1000.");
}

function readWindow(text: string): string {
  if (/^[1-9]\d?h$/.test(text)) return text;
  throw new InvalidArgumentError("It is a number of hours and an h, e.g. 3h.");
}

/** Whether the options are a schedule by themselves. */
export const saysWhen = ({ days, schedule }: ScheduleFlags) => days !== undefined || schedule !== undefined;

/**
 * The rules that the options ask for; undefined where those that the secret has stay.
 *
 * @throws Failure where the service's documentation rules them out
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 */
export function rulesOf(flags: ScheduleFlags, now: Date, before?: RotationRules): RotationRules | undefined {
  const { days, schedule, window } = flags;
  if (before && !saysWhen(flags) && window === undefined) return undefined;
  const rules: RotationRules = {
    ...(saysWhen(flags) ? {} : (before ?? { AutomaticallyAfterDays: USUAL_DAYS })),
    ...(days !== undefined && { AutomaticallyAfterDays: days }),
    ...(schedule !== undefined && { ScheduleExpression: schedule }),
    ...(window !== undefined && { Duration: window }),
  };
  try {
    checkRules(rules, now.getTime());
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const next =
      "What a schedule may say: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html";
    throw new Failure("usage", `The service would refuse this. ${error.message.replace(/\.$/, "")}`, next, {
      cause: error,
    });
  }
  return rules;
}

/** Rules in words. */
export function wordsOfRules({ AutomaticallyAfterDays: days, ScheduleExpression, Duration }: RotationRules): string {
  const when = ScheduleExpression ?? (days === 1 ? "every day" : `every ${days} days`);
  return Duration === undefined ? when : `${when}, in a window of ${Duration}`;
}

/**
 * What DescribeSecret says of the rules, as RotateSecret takes them: it shows the days beside an expression, too. Undefined where it says no
 * time.
 */
export function rulesFrom({ schedule: shown = {} }: Secret): RotationRules | undefined {
  const { expression, automaticallyAfterDays: days, duration } = shown;
  if (expression === undefined && days === undefined) return undefined;
  return {
    ...(expression === undefined
      ? days !== undefined && { AutomaticallyAfterDays: days }
      : { ScheduleExpression: expression }),
    ...(duration !== undefined && { Duration: duration }),
  };
}

/** When the window after a rotation is open, in words; undefined where the service has taken an expression that is not understood here. */
export function windowAfter(rules: RotationRules, rotated: Date): string | undefined {
  try {
    const window = nextWindow(rules, rotated.getTime());
    return window && `${minuteOf(new Date(window.opensAt))} to ${minuteOf(new Date(window.closesAt))}`;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

/** What the service would answer to such rules, as far as its documentation says. */
const isRefusal = (error: unknown): error is Error => error instanceof Error && error.name === "ServiceError";
