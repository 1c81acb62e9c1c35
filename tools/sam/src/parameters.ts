import type { Setting } from "@quarterturn/core";
import type { Application } from "./applications.ts";
import { ref, type Value, when } from "./cloudformation.ts";

/** A parameter of a template. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
  /** Absent where whoever deploys must give it. */
  readonly default?: string;
  readonly values?: readonly string[];
  readonly type?: "CommaDelimitedList" | "Number";
}

/**
 * The parameters of AWS's own applications under their names, so that what deploys those deploys these with another application id.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-rotationschedule-hostedrotationlambda.html
 */
function parametersOfAws({ strategy, manifest }: Application): readonly Parameter[] {
  return [
    { name: "functionName", description: "The name of the Lambda function." },
    {
      name: "endpoint",
      description: "URL of Secrets Manager, e.g. of a VPC endpoint without private DNS; empty for the region's own.",
      default: "",
    },
    {
      name: "invokingServicePrincipal",
      description: "The service that may invoke the function, for secrets of this account only.",
      default: "secretsmanager.amazonaws.com",
    },
    {
      name: "vpcSubnetIds",
      description: "Subnets from which the database and Secrets Manager can be reached, separated by commas.",
      default: "",
      type: "CommaDelimitedList",
    },
    {
      name: "vpcSecurityGroupIds",
      description: "Security groups of the function, separated by commas.",
      default: "",
      type: "CommaDelimitedList",
    },
    {
      name: "kmsKeyArn",
      description: "ARN of the key that encrypts the secrets; empty for aws/secretsmanager.",
      default: "",
    },
    {
      name: "excludeCharacters",
      description: "Characters that a generated password does not hold.",
      default: manifest.excludeCharacters,
    },
    ...(strategy === "multi-user"
      ? [
          {
            name: "superuserSecretArn",
            description: "ARN of the admin secret, which the function may read.",
            default: "",
          },
          {
            name: "superuserSecretKmsKeyArn",
            description: "ARN of the key that encrypts the admin secret; empty for aws/secretsmanager.",
            default: "",
          },
          { name: "masterSecretArn", description: "The older name of superuserSecretArn.", default: "" },
          { name: "masterSecretKmsKeyArn", description: "The older name of superuserSecretKmsKeyArn.", default: "" },
        ]
      : []),
  ];
}

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
  },
  { name: "timeout", description: "The function's time for one step, seconds.", default: "30", type: "Number" },
  {
    name: "logRetentionInDays",
    description: "How long the function's log is kept.",
    default: "90",
    values: [
      "1",
      "3",
      "5",
      "7",
      "14",
      "30",
      "60",
      "90",
      "120",
      "150",
      "180",
      "365",
      "400",
      "545",
      "731",
      "1827",
      "3653",
    ],
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
    description: "ARN of an SNS topic that is told when a step of a rotation fails; empty for none.",
    default: "",
  },
  {
    name: "permissionsBoundary",
    description: "ARN of the permissions boundary of the function's role; empty for none.",
    default: "",
  },
  { name: "rolePath", description: "The path of the function's role.", default: "/" },
];

/** Settings that reach the function by a parameter of another name, or not by its environment. */
const givenOtherwise = ["SECRETS_MANAGER_ENDPOINT", "EXCLUDE_CHARACTERS", "SUPERUSER_SECRET_ARN", "LOG_LEVEL"];

const ownSettings = ({ settings }: Application) => settings.filter(({ name }) => !givenOtherwise.includes(name));

/** `PASSWORD_LENGTH` is `passwordLength`. */
export const parameterOf = ({ name }: Pick<Setting, "name">) =>
  name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Every parameter, in the order in which the console shows them. */
export function parametersOf(application: Application): readonly Parameter[] {
  return [
    ...parametersOfAws(application),
    ...ownSettings(application).map((setting) => ({
      name: parameterOf(setting),
      description: setting.meaning.replaceAll("`", ""),
      default: setting.values?.includes(setting.absent) || /^\d+$/.test(setting.absent) ? setting.absent : "",
      ...(setting.values ? { values: setting.values } : {}),
    })),
    ...parametersOfFunction,
  ];
}

/** The function's environment. An empty text counts as not set. */
export function environmentOf(application: Application): Readonly<Record<string, Value>> {
  return {
    SECRETS_MANAGER_ENDPOINT: ref("endpoint"),
    EXCLUDE_CHARACTERS: ref("excludeCharacters"),
    ...(application.strategy === "multi-user"
      ? { SUPERUSER_SECRET_ARN: when("hasSuperuserSecret", ref("superuserSecretArn"), ref("masterSecretArn")) }
      : {}),
    ...Object.fromEntries(ownSettings(application).map((setting) => [setting.name, ref(parameterOf(setting))])),
  };
}
