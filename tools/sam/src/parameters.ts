import type { Setting } from "@quarterturn/core";
import type { Application } from "./applications.ts";
import { ref, type Value, when } from "./cloudformation.ts";
import { isDatabase } from "./settings.ts";

/** A parameter of a template. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
  /** Absent where whoever deploys must give it. */
  readonly default?: string;
  readonly type?: "CommaDelimitedList" | "Number";
  readonly values?: readonly string[];
  readonly limits?: { readonly min: number; readonly max: number };
  /** What a text must match as a whole, so that a mistake is noticed before anything is made; and what is said then, after "NAME must be". */
  readonly pattern?: readonly [pattern: string, mustBe: string];
}

const empty = (pattern: string) => `^(${pattern})?$`;
/** An ARN, or nothing. */
const arnOf = (
  what: string,
  service: string,
  region: string,
  rest: string,
): Pick<Parameter, "default" | "pattern"> => ({
  default: "",
  pattern: [empty(`arn:aws[a-z-]*:${service}:${region}:${rest}`), `empty or the whole ARN of ${what}`],
});
const keyArn = arnOf("a KMS key (not of an alias)", "kms", "[a-z0-9-]+", "[0-9]{12}:key/[A-Za-z0-9-]+");
const secretArn = arnOf(
  "a secret, with the six characters at its end",
  "secretsmanager",
  "[a-z0-9-]+",
  "[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+-[A-Za-z0-9]{6}",
);

/**
 * The parameters of AWS's own applications under their names, so that what deploys those deploys these with another application id.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-rotationschedule-hostedrotationlambda.html
 */
function parametersOfAws(application: Application): readonly Parameter[] {
  const { manifest } = application;
  return [
    {
      name: "functionName",
      description: "A name for the Lambda function, new in the account and region.",
      pattern: ["^[A-Za-z0-9_-]{1,64}$", "1 to 64 letters, digits, hyphens and underscores"],
    },
    {
      name: "endpoint",
      description: "URL of Secrets Manager, e.g. of a VPC endpoint without private DNS; empty for the region's own.",
      default: "",
      pattern: [empty("https://[^ ]+"), "empty or a URL that begins with https://"],
    },
    {
      name: "invokingServicePrincipal",
      description: "The service that may invoke the function, for secrets of this account only. Leave it as it is.",
      default: "secretsmanager.amazonaws.com",
      pattern: ["^secretsmanager\\.[a-z0-9.-]+$", "Secrets Manager's service principal in the stack's partition"],
    },
    {
      name: "vpcSubnetIds",
      description: `Subnets for the function, from which ${isDatabase(manifest) ? "the database" : "the service"} and Secrets Manager can be reached, separated by commas; empty for a function outside any VPC.`,
      default: "",
      type: "CommaDelimitedList",
    },
    {
      name: "vpcSecurityGroupIds",
      description:
        "Security groups for the function, separated by commas. Given where vpcSubnetIds are, and only there.",
      default: "",
      type: "CommaDelimitedList",
    },
    {
      name: "kmsKeyArn",
      description: "ARN of the key that encrypts the secrets; empty for aws/secretsmanager.",
      ...keyArn,
    },
    {
      name: "excludeCharacters",
      description: "Characters that a generated password does not hold.",
      default: isDatabase(manifest) ? manifest.excludeCharacters : "",
    },
    ...(mayHaveAdminSecret(application)
      ? [
          {
            name: "superuserSecretArn",
            description: reads(application, "SUPERUSER_SECRET_ARN")
              ? "ARN of the admin secret: the function may read it, and takes it for secrets that have no masterarn. Empty where you let the role read admin secrets yourself."
              : "ARN of an admin secret, which the function may read; empty for none.",
            ...secretArn,
          },
          {
            name: "superuserSecretKmsKeyArn",
            description: "ARN of the key that encrypts the admin secret; empty for aws/secretsmanager.",
            ...keyArn,
          },
          { name: "masterSecretArn", description: "The older name of superuserSecretArn.", ...secretArn },
          { name: "masterSecretKmsKeyArn", description: "The older name of superuserSecretKmsKeyArn.", ...keyArn },
        ]
      : []),
  ];
}

/** What is no database's may read an admin secret in both strategies: a key may be one that only an admin's key can issue. */
export const mayHaveAdminSecret = ({ strategy, manifest }: Pick<Application, "strategy" | "manifest">) =>
  strategy === "multi-user" || !isDatabase(manifest);

const reads = ({ settings }: Application, setting: string) => settings.some(({ name }) => name === setting);

const parametersOfFunction: readonly Parameter[] = [
  {
    name: "architecture",
    description: "The function's processor.",
    default: "arm64",
    values: ["arm64", "x86_64"],
  },
  {
    name: "memorySize",
    description: "The function's memory, MB; its processor's share grows with it.",
    default: "512",
    type: "Number",
    limits: { min: 128, max: 10_240 },
  },
  {
    name: "timeout",
    description: "The function's time for one step, seconds.",
    default: "30",
    type: "Number",
    limits: { min: 1, max: 900 },
  },
  {
    name: "logRetentionInDays",
    description: "How long the function's log is kept, in days.",
    default: "90",
    values: "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653".split(" "),
    type: "Number",
  },
  {
    name: "logLevel",
    description: "The least that is logged.",
    default: "INFO",
    values: ["DEBUG", "INFO", "WARN", "ERROR"],
  },
  {
    name: "alarmTopicArn",
    description:
      "ARN of an SNS topic that is told when a step of a rotation fails or is throttled; empty for none. A standard topic of this region, not encrypted with alias/aws/sns, whose policy lets CloudWatch publish, as a new topic's does: try it with aws cloudwatch set-alarm-state.",
    ...arnOf("a standard SNS topic", "sns", "[a-z0-9-]+", "[0-9]{12}:[A-Za-z0-9_-]+"),
  },
  {
    name: "permissionsBoundary",
    description: "ARN of the policy that is the permissions boundary of the function's role; empty for none.",
    ...arnOf("a policy", "iam", "", "([0-9]{12}|aws):policy/[^ ]+"),
  },
  {
    name: "rolePath",
    description: "The path of the function's role.",
    default: "/",
    pattern: ["^/([!-~]*/)?$", "a path that begins and ends with a slash"],
  },
];

/** Settings that reach the function from a parameter of another name. */
const givenOtherwise: Readonly<Record<string, Value>> = {
  SECRETS_MANAGER_ENDPOINT: ref("endpoint"),
  EXCLUDE_CHARACTERS: ref("excludeCharacters"),
  SUPERUSER_SECRET_ARN: when("hasSuperuserSecret", ref("superuserSecretArn"), ref("masterSecretArn")),
};

/** Lambda itself sets the level of the log. */
const environmentSettings = ({ settings }: Application) => settings.filter(({ name }) => name !== "LOG_LEVEL");

/** `PASSWORD_LENGTH` is `passwordLength`. */
export const parameterOf = ({ name }: Pick<Setting, "name">) =>
  name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Every parameter, in the order in which the console shows them. */
export function parametersOf(application: Application): readonly Parameter[] {
  return [
    ...parametersOfAws(application),
    ...environmentSettings(application)
      .filter(({ name }) => !(name in givenOtherwise))
      .map((setting) => parameterOfSetting(setting, application)),
    ...parametersOfFunction,
  ];
}

function parameterOfSetting(setting: Setting, { homepage }: Application): Parameter {
  const { meaning, absent, values, limits } = setting;
  return {
    name: parameterOf(setting),
    description: meaning.replaceAll("`", "").replace(/\bdocs\/\S+\.md\b/, (page) => `${homepage}/blob/main/${page}`),
    default: values?.includes(absent) || limits ? absent : "",
    ...(values ? { values } : {}),
    ...(limits ? { limits, type: "Number" } : {}),
  };
}

/** The function's environment. An empty text counts as not set, but for EXCLUDE_CHARACTERS, where it excludes nothing. */
export const environmentOf = (application: Application): Readonly<Record<string, Value>> =>
  Object.fromEntries(
    environmentSettings(application).map((setting) => [
      setting.name,
      givenOtherwise[setting.name] ?? ref(parameterOf(setting)),
    ]),
  );
