import {
  keyOperations,
  logOperations,
  networkInterfaceOperations,
  type Permission,
  permissionsOf,
  readKeyOperations,
  secretOperations,
} from "@quarterturn/core";
import { adminSecretOperations } from "@quarterturn/database";
import type { Application } from "./applications.ts";
import { attribute, isGiven, isListGiven, ref, sub, type Value, when } from "./cloudformation.ts";
import { mayHaveAdminSecret, parameterOf } from "./parameters.ts";
import { isDatabase } from "./settings.ts";

/** A statement of the role's policy, and the condition of the template under which it is there. */
export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly Value[];
  /** What needs it. */
  readonly why: string;
  readonly effect?: "Deny";
  readonly condition?: Value;
  readonly onlyIf?: string;
}

/** Of this account and region; `${NAME}` in it stands for a parameter. */
function arn(resource: string): Value {
  const [service, ...rest] = resource.split(":");
  return sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest.join(":")}`);
}

const functionArn = arn("lambda:function:${functionName}");
const throughSecretsManager = {
  StringEquals: { "kms:ViaService": sub("secretsmanager.${AWS::Region}.${AWS::URLSuffix}") },
};

/** The conditions of the template that the statements name. */
export function roleConditions(application: Application): Readonly<Record<string, Value>> {
  return {
    // With one of the two alone Lambda refuses the function, which else would silently run outside of the VPC.
    hasVpc: { "Fn::Or": [isListGiven("vpcSubnetIds"), isListGiven("vpcSecurityGroupIds")] },
    hasKey: isGiven("kmsKeyArn"),
    ...(mayHaveAdminSecret(application)
      ? {
          hasSuperuserSecret: isGiven("superuserSecretArn"),
          hasSuperuserKey: isGiven("superuserSecretKmsKeyArn"),
          hasMasterSecret: isGiven("masterSecretArn"),
          hasMasterKey: isGiven("masterSecretKmsKeyArn"),
        }
      : {}),
    ...Object.fromEntries(
      permissionsOf(application).flatMap(({ setting }) =>
        setting ? [[conditionOf(setting), { "Fn::Equals": [ref(parameterOf(setting)), setting.value] }]] : [],
      ),
    ),
  };
}

const conditionOf = ({ name, value }: NonNullable<Permission["setting"]>) =>
  `${parameterOf({ name })}Is${value.replace(/(^|\W)(\w)/g, (_, __, letter: string) => letter.toUpperCase())}`;

/** The least that a rotation works with. */
export function roleStatements(application: Application): readonly Statement[] {
  return [
    {
      why: "The secrets that name this function as their rotation function, and no others.",
      actions: secretOperations.map(of("secretsmanager")),
      resources: [arn("secretsmanager:secret:*")],
      condition: { StringEquals: { "secretsmanager:resource/AllowRotationLambdaArn": functionArn } },
    },
    {
      why: "The secrets' key, through Secrets Manager only. The key aws/secretsmanager needs no permission.",
      actions: keyOperations.map(of("kms")),
      resources: [ref("kmsKeyArn")],
      condition: throughSecretsManager,
      onlyIf: "hasKey",
    },
    ...(mayHaveAdminSecret(application) ? adminSecretStatements(application) : []),
    ...permissionsOf(application).map(({ service, operations, resources, condition, why, setting }) => ({
      why: setting ? `${why} With ${parameterOf(setting)} ${setting.value}.` : why,
      actions: operations.map(of(service)),
      resources: resources?.map(arn) ?? ["*"],
      ...(condition ? { condition } : {}),
      ...(setting ? { onlyIf: conditionOf(setting) } : {}),
    })),
    {
      why: "The function's log.",
      actions: logOperations.map(of("logs")),
      resources: [attribute("RotationLog", "Arn")],
    },
    {
      why: "Traces. X-Ray knows no narrower resource.",
      actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
      resources: ["*"],
    },
    {
      why: "In a VPC: network interfaces, which Lambda makes in the role's name before the function runs.",
      actions: networkInterfaces,
      resources: ["*"],
      onlyIf: "hasVpc",
    },
    {
      why: "The same, to take them away again.",
      actions: deletionOfNetworkInterfaces,
      resources: [arn("ec2:*/*")],
      onlyIf: "hasVpc",
    },
    {
      why: "The code in the function needs none of them.",
      effect: "Deny",
      actions: [...networkInterfaces, ...deletionOfNetworkInterfaces],
      resources: ["*"],
      condition: { ArnEquals: { "lambda:SourceFunctionArn": functionArn } },
      onlyIf: "hasVpc",
    },
  ];
}

const of = (service: string) => (operation: string) => `${service}:${operation}`;

function adminSecretStatements({ manifest }: Application): readonly Statement[] {
  const operations = isDatabase(manifest) ? adminSecretOperations : (["GetSecretValue"] as const);
  return ["superuser", "master"].flatMap((name) => {
    const condition = `has${name.replace(/^./, (letter) => letter.toUpperCase())}`;
    return [
      {
        why: "The admin secret.",
        actions: operations.map(of("secretsmanager")),
        resources: [ref(`${name}SecretArn`)],
        onlyIf: `${condition}Secret`,
      },
      {
        why: "The admin secret's key, through Secrets Manager only.",
        actions: readKeyOperations.map(of("kms")),
        resources: [ref(`${name}SecretKmsKeyArn`)],
        condition: throughSecretsManager,
        onlyIf: `${condition}Key`,
      },
    ];
  });
}

/** On the resources that AWS documents. With less the function may find itself in no VPC. */
const networkInterfaces = networkInterfaceOperations.make.map(of("ec2"));
const deletionOfNetworkInterfaces = networkInterfaceOperations.takeAway.map(of("ec2"));

/** The statements as CloudFormation takes them. */
export function policyOf(statements: readonly Statement[]): Value {
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ effect = "Allow", actions, resources, condition, onlyIf }) => {
      const statement = {
        Effect: effect,
        Action: actions,
        Resource: resources,
        ...(condition === undefined ? {} : { Condition: condition }),
      };
      return onlyIf === undefined ? statement : when(onlyIf, statement);
    }),
  };
}
