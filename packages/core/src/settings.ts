import { RotationError } from "./errors.ts";

/** The environment's variables, e.g. process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What core itself reads from the environment. */
export interface CoreSettings {
  /** SECRETS_MANAGER_ENDPOINT: the URL to call; absent means the region's own. */
  readonly endpoint: string | undefined;
  /** EARLY_PROMOTION: setSecret moves AWSCURRENT as soon as the new credentials log in. */
  readonly earlyPromotion: boolean;
  /** LOG_LEVEL */
  readonly logLevel: LogLevel;
}

export const logLevels = ["DEBUG", "INFO", "WARN", "ERROR"] as const;
export type LogLevel = (typeof logLevels)[number];

/** @throws RotationError `bad-setting` */
export function coreSettings(env: Environment): CoreSettings {
  return {
    endpoint: env.SECRETS_MANAGER_ENDPOINT || undefined,
    earlyPromotion: booleanSetting(env, "EARLY_PROMOTION", false),
    logLevel: env.LOG_LEVEL === undefined ? lambdaLogLevel(env) : choiceSetting(env, "LOG_LEVEL", "INFO", logLevels),
  };
}

/**
 * Lambda's own variable, set from the function's logging configuration, knows two levels more.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
 */
function lambdaLogLevel(env: Environment): LogLevel {
  const level = choiceSetting(env, "AWS_LAMBDA_LOG_LEVEL", "INFO", ["TRACE", ...logLevels, "FATAL"]);
  if (level === "TRACE") return "DEBUG";
  return level === "FATAL" ? "ERROR" : level;
}

/** true, 1, y or yes; false, 0, n or no; in any case. @throws RotationError `bad-setting` for anything else */
export function booleanSetting(env: Environment, name: string, absent: boolean): boolean {
  const value = env[name]?.trim().toLowerCase();
  if (value === undefined || value === "") return absent;
  if (["true", "1", "y", "yes"].includes(value)) return true;
  if (["false", "0", "n", "no"].includes(value)) return false;
  throw badSetting(name, "true or false");
}

/** A whole number within limits. @throws RotationError `bad-setting` */
export function integerSetting(
  env: Environment,
  name: string,
  absent: number,
  limits: { min: number; max: number },
): number {
  const value = env[name]?.trim();
  if (value === undefined || value === "") return absent;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= limits.min && number <= limits.max) return number;
  throw badSetting(name, `a whole number from ${limits.min} to ${limits.max}`);
}

/** One of the words, in any case. @throws RotationError `bad-setting` */
export function choiceSetting<T extends string>(env: Environment, name: string, absent: T, choices: readonly T[]): T {
  const value = env[name]?.trim();
  if (value === undefined || value === "") return absent;
  const choice = choices.find((each) => each.toLowerCase() === value.toLowerCase());
  if (choice !== undefined) return choice;
  throw badSetting(name, `one of ${choices.join(", ")}`);
}

/** Words separated by commas or white space. */
export function listSetting(env: Environment, name: string): readonly string[] {
  return env[name]?.split(/[\s,]+/).filter((word) => word !== "") ?? [];
}

function badSetting(name: string, expected: string): RotationError {
  return new RotationError(
    "bad-setting",
    `The environment variable ${name} must be ${expected}`,
    "This try changed nothing. Correct the function's configuration.",
  );
}
