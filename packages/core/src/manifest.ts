import { passwordLengths } from "./password.ts";
import { logLevels } from "./settings.ts";

/** An environment variable that a function reads. */
export interface Setting {
  readonly name: string;
  /** What holds when it is not set, in words or as written. */
  readonly absent: string;
  readonly meaning: string;
  /** The words that it takes; absent where it takes any text. */
  readonly values?: readonly string[];
  /** The least and the greatest number that it takes; absent where it takes any text. */
  readonly limits?: { readonly min: number; readonly max: number };
  /** The strategy that reads it; absent where both do. */
  readonly strategy?: Strategy;
}

export type Strategy = "single-user" | "multi-user";

/** What a function may do at AWS beyond its secrets, as its role grants it. */
export interface Permission {
  /** The service's name in actions and ARNs, e.g. `rds`. */
  readonly service: string;
  /** e.g. `DescribeDBInstances` */
  readonly operations: readonly string[];
  /** What they are done to, as `SERVICE:RESOURCE` of ARNs in the function's account and region, e.g. `rds:db:*`; absent where the service knows none. `${functionName}` stands for the function's name. */
  readonly resources?: readonly string[];
  /** A condition of IAM on all of them, e.g. `{ StringEquals: { "redshift-data:statement-owner-iam-userid": "${aws:userid}" } }`. */
  readonly condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What needs it. */
  readonly why: string;
  readonly strategy?: Strategy;
  /** The setting, and its value, with which it is needed. */
  readonly setting?: { readonly name: string; readonly value: string };
}

/** What describes one rotator package: the single source of its defaults, its README's tables, its SAM templates and its listing. */
export interface RotatorManifest {
  /** The package's name without its scope, e.g. `rds-postgres`. */
  readonly name: string;
  /** The product's name for people. */
  readonly title: string;
  /** Values of the secret's `engine` that mean this package. */
  readonly engines: readonly string[];
  /** Settings beyond those that every rotator reads; one of the same name as such a one takes its place, where its values are fewer. */
  readonly settings: readonly Setting[];
  /** What its functions call beside Secrets Manager. */
  readonly permissions?: readonly Permission[];
  /** What the tests run against, and what they cannot show. */
  readonly verifiedAgainst: readonly string[];
}

/** The manifest of a database's package. */
export interface Manifest extends RotatorManifest {
  readonly port: number;
  /** The database to log in to where the secret names none. */
  readonly dbname?: string;
  /** Characters that a generated password does not hold, unless EXCLUDE_CHARACTERS says otherwise. */
  readonly excludeCharacters: string;
  /** The longest user name, in bytes of UTF-8; the twin's must fit. */
  readonly usernameLimit?: number;
  /** Keys of the secret, beyond those that every database's has, which say who its user is, e.g. MongoDB's `authSource`. */
  readonly secretKeys?: readonly SecretKey[];
}

/** A key of a secret whose value is a text. */
export interface SecretKey {
  readonly name: string;
  /** Another key, whose value holds where the secret does not have this one. */
  readonly orElse?: "dbname";
  /** What holds where the secret does not have it, in words or as written. */
  readonly absent: string;
  readonly meaning: string;
}

const trueOrFalse = ["true", "false"] as const;

/** The settings that core reads for every rotator, and those of its passwords. */
export const coreSettingList: readonly Setting[] = [
  {
    name: "PASSWORD_LENGTH",
    absent: "32",
    meaning: "Characters of a generated password, 1 to 4096.",
    limits: passwordLengths,
  },
  {
    name: "EXCLUDE_CHARACTERS",
    absent: "none",
    meaning: "Characters that a generated password does not hold.",
  },
  { name: "EXCLUDE_NUMBERS", absent: "false", meaning: "No digits.", values: trueOrFalse },
  { name: "EXCLUDE_PUNCTUATION", absent: "false", meaning: "No punctuation.", values: trueOrFalse },
  { name: "EXCLUDE_UPPERCASE", absent: "false", meaning: "No upper-case letters.", values: trueOrFalse },
  { name: "EXCLUDE_LOWERCASE", absent: "false", meaning: "No lower-case letters.", values: trueOrFalse },
  {
    name: "REQUIRE_EACH_INCLUDED_TYPE",
    absent: "true",
    meaning: "At least one character of each class that is not excluded.",
    values: trueOrFalse,
  },
  {
    name: "SECRETS_MANAGER_ENDPOINT",
    absent: "the region's own",
    meaning: "URL of Secrets Manager, e.g. of a VPC endpoint or of the local endpoint.",
  },
  {
    name: "EARLY_PROMOTION",
    absent: "false",
    meaning:
      "Single-user: setSecret itself moves AWSCURRENT as soon as the new password has logged in, so that new logins are refused for milliseconds and not for the time until finishSecret. Not yet run on AWS; the local endpoint plays both answers that the service could give.",
    values: trueOrFalse,
    strategy: "single-user",
  },
  {
    name: "LOG_LEVEL",
    absent: "Lambda's own level, else INFO",
    meaning: "DEBUG, INFO, WARN or ERROR.",
    values: logLevels,
  },
];
