import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { applications } from "./applications.ts";
import { templateOf } from "./template.ts";

// Written by hand from what each piece is for, so that whoever changes what a role may do or when changes it here, too.

const ofAccount = (service: string, resource: string) => ({
  "Fn::Sub": `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`,
});
const thisFunction = ofAccount("lambda", "function:${functionName}");
const throughSecretsManager = {
  StringEquals: { "kms:ViaService": { "Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}" } },
};
const noValue = { Ref: "AWS::NoValue" };
const onlyIf = (condition: string, statement: object) => ({ "Fn::If": [condition, statement, noValue] });
const isGiven = (parameter: string) => ({ "Fn::Not": [{ "Fn::Equals": [{ Ref: parameter }, ""] }] });

const rotatedSecrets = {
  Effect: "Allow",
  Action: [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
  ],
  Resource: [ofAccount("secretsmanager", "secret:*")],
  Condition: { StringEquals: { "secretsmanager:resource/AllowRotationLambdaArn": thisFunction } },
};
const theirKey = onlyIf("hasKey", {
  Effect: "Allow",
  Action: ["kms:Decrypt", "kms:GenerateDataKey"],
  Resource: [{ Ref: "kmsKeyArn" }],
  Condition: throughSecretsManager,
});
const adminSecret = (actions: readonly string[]) =>
  [
    ["hasSuperuserSecret", "superuserSecretArn", "hasSuperuserKey", "superuserSecretKmsKeyArn"] as const,
    ["hasMasterSecret", "masterSecretArn", "hasMasterKey", "masterSecretKmsKeyArn"] as const,
  ].flatMap(([hasSecret, secret, hasKey, key]) => [
    onlyIf(hasSecret, { Effect: "Allow", Action: actions, Resource: [{ Ref: secret }] }),
    onlyIf(hasKey, {
      Effect: "Allow",
      Action: ["kms:Decrypt"],
      Resource: [{ Ref: key }],
      Condition: throughSecretsManager,
    }),
  ]);
const adminSecretOfDatabase = adminSecret(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]);
const adminSecretOfService = adminSecret(["secretsmanager:GetSecretValue"]);
const rds = {
  Effect: "Allow",
  Action: ["rds:DescribeDBClusters", "rds:DescribeDBInstances"],
  Resource: [ofAccount("rds", "cluster:*"), ofAccount("rds", "db:*")],
};
const redshift = [
  { Effect: "Allow", Action: ["redshift:DescribeClusters"], Resource: [ofAccount("redshift", "cluster:*")] },
  {
    Effect: "Allow",
    Action: ["redshift-serverless:ListNamespaces", "redshift-serverless:ListWorkgroups"],
    Resource: ["*"],
  },
];
const dataApi = [
  {
    Effect: "Allow",
    Action: ["redshift-data:BatchExecuteStatement"],
    Resource: [ofAccount("redshift", "cluster:*"), ofAccount("redshift-serverless", "workgroup/*")],
  },
  {
    Effect: "Allow",
    Action: ["redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"],
    Resource: ["*"],
    // IAM's own variable, not CloudFormation's.
    Condition: { StringEquals: { "redshift-data:statement-owner-iam-userid": "${aws:userid}" } },
  },
  {
    Effect: "Allow",
    Action: ["secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:GetSecretValue"],
    Resource: [ofAccount("secretsmanager", "secret:quarterturn-probe/${functionName}/*")],
  },
].map((statement) => onlyIf("redshiftTransportIsDataApi", statement));
const logAndTraces = [
  {
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: [{ "Fn::GetAtt": ["RotationLog", "Arn"] }],
  },
  { Effect: "Allow", Action: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], Resource: ["*"] },
];
const making = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];
const networkInterfaces = [
  { Effect: "Allow", Action: making, Resource: ["*"] },
  { Effect: "Allow", Action: ["ec2:DeleteNetworkInterface"], Resource: [ofAccount("ec2", "*/*")] },
  {
    Effect: "Deny",
    Action: [...making, "ec2:DeleteNetworkInterface"],
    Resource: ["*"],
    Condition: { ArnEquals: { "lambda:SourceFunctionArn": thisFunction } },
  },
].map((statement) => onlyIf("hasVpc", statement));

/** What a database's function may do beside what every function may. */
const besides: Readonly<Record<string, readonly object[]>> = {
  "documentdb-single-user": [],
  "documentdb-multi-user": [...adminSecretOfDatabase, rds],
  "rds-mysql-single-user": [],
  "rds-mysql-multi-user": [...adminSecretOfDatabase, rds],
  "rds-postgres-single-user": [],
  "rds-postgres-multi-user": [...adminSecretOfDatabase, rds],
  "redshift-single-user": dataApi,
  "redshift-multi-user": [...adminSecretOfDatabase, ...redshift, ...dataApi],
};

const everyFunction = {
  PASSWORD_LENGTH: { Ref: "passwordLength" },
  EXCLUDE_CHARACTERS: { Ref: "excludeCharacters" },
  EXCLUDE_NUMBERS: { Ref: "excludeNumbers" },
  EXCLUDE_PUNCTUATION: { Ref: "excludePunctuation" },
  EXCLUDE_UPPERCASE: { Ref: "excludeUppercase" },
  EXCLUDE_LOWERCASE: { Ref: "excludeLowercase" },
  REQUIRE_EACH_INCLUDED_TYPE: { Ref: "requireEachIncludedType" },
  SECRETS_MANAGER_ENDPOINT: { Ref: "endpoint" },
};
const singleUser = { ...everyFunction, EARLY_PROMOTION: { Ref: "earlyPromotion" } };
const multiUser = {
  ...everyFunction,
  ALLOWED_HOSTS: { Ref: "allowedHosts" },
  // Where both names are given the newer one counts.
  SUPERUSER_SECRET_ARN: { "Fn::If": ["hasSuperuserSecret", { Ref: "superuserSecretArn" }, { Ref: "masterSecretArn" }] },
};
const environments: Readonly<Record<string, object>> = {
  "documentdb-single-user": singleUser,
  "documentdb-multi-user": multiUser,
  "rds-mysql-single-user": { ...singleUser, OLD_PASSWORD: { Ref: "oldPassword" } },
  "rds-mysql-multi-user": multiUser,
  "rds-postgres-single-user": { ...singleUser, PASSWORD_VERIFIER: { Ref: "passwordVerifier" } },
  "rds-postgres-multi-user": { ...multiUser, PASSWORD_VERIFIER: { Ref: "passwordVerifier" } },
  "redshift-single-user": { ...singleUser, REDSHIFT_TRANSPORT: { Ref: "redshiftTransport" } },
  "redshift-multi-user": { ...multiUser, REDSHIFT_TRANSPORT: { Ref: "redshiftTransport" } },
};

describe.for(await applications())("the template of $folder", (application) => {
  const { Conditions, Resources, Outputs } = parse(templateOf(application), { version: "1.1" });
  const { RotationFunction, RotationRole, RotationLog, InvokePermission, FailureAlarm, ThrottleAlarm, ...others } =
    Resources;
  const ofThis = besides[application.folder] ?? adminSecretOfService;
  const mayHaveAdmin = JSON.stringify(ofThis).includes("superuserSecretArn");

  test("has a role with these statements, under these conditions, and nothing else", () => {
    expect(others).toEqual({});
    expect(RotationRole).toEqual({
      Type: "AWS::IAM::Role",
      Properties: {
        Path: { Ref: "rolePath" },
        PermissionsBoundary: { "Fn::If": ["hasBoundary", { Ref: "permissionsBoundary" }, noValue] },
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
        Policies: [
          {
            PolicyName: "rotation",
            PolicyDocument: {
              Version: "2012-10-17",
              Statement: [rotatedSecrets, theirKey, ...ofThis, ...logAndTraces, ...networkInterfaces],
            },
          },
        ],
      },
    });
    expect(Conditions).toEqual({
      hasVpc: {
        "Fn::Or": ["vpcSubnetIds", "vpcSecurityGroupIds"].map((name) => ({
          "Fn::Not": [{ "Fn::Equals": [{ "Fn::Join": ["", { Ref: name }] }, ""] }],
        })),
      },
      hasKey: isGiven("kmsKeyArn"),
      ...(mayHaveAdmin && {
        hasSuperuserSecret: isGiven("superuserSecretArn"),
        hasSuperuserKey: isGiven("superuserSecretKmsKeyArn"),
        hasMasterSecret: isGiven("masterSecretArn"),
        hasMasterKey: isGiven("masterSecretKmsKeyArn"),
      }),
      ...(application.manifest.name === "redshift" && {
        redshiftTransportIsDataApi: { "Fn::Equals": [{ Ref: "redshiftTransport" }, "data-api"] },
      }),
      hasBoundary: isGiven("permissionsBoundary"),
      hasAlarmTopic: isGiven("alarmTopicArn"),
    });
  });

  test("lets Secrets Manager invoke the function, for secrets of this account only", () => {
    expect(InvokePermission).toEqual({
      Type: "AWS::Lambda::Permission",
      Properties: {
        Action: "lambda:InvokeFunction",
        FunctionName: { Ref: "RotationFunction" },
        Principal: { Ref: "invokingServicePrincipal" },
        SourceAccount: { Ref: "AWS::AccountId" },
      },
    });
  });

  test("has the function traced, logged and in the VPC as the parameters say", () => {
    const { Description: _description, Environment, ...properties } = RotationFunction.Properties;
    expect(properties).toEqual({
      FunctionName: { Ref: "functionName" },
      CodeUri: `../../build/lambda/${application.folder}.zip`,
      Handler: "index.handler",
      Runtime: "nodejs24.x",
      Architectures: [{ Ref: "architecture" }],
      MemorySize: { Ref: "memorySize" },
      Timeout: { Ref: "timeout" },
      Role: { "Fn::GetAtt": ["RotationRole", "Arn"] },
      Tracing: "Active",
      LoggingConfig: {
        LogFormat: "JSON",
        ApplicationLogLevel: { Ref: "logLevel" },
        LogGroup: { Ref: "RotationLog" },
      },
      VpcConfig: {
        "Fn::If": [
          "hasVpc",
          { SubnetIds: { Ref: "vpcSubnetIds" }, SecurityGroupIds: { Ref: "vpcSecurityGroupIds" } },
          noValue,
        ],
      },
    });
    // What is no database's has settings of its own as well.
    const variables = environments[application.folder];
    if (variables) expect(Environment.Variables).toEqual(variables);
    else expect(Environment.Variables).toMatchObject(everyFunction);
  });

  test("keeps the log when the stack goes, but not of a stack that never was", () => {
    expect(RotationLog).toEqual({
      Type: "AWS::Logs::LogGroup",
      DeletionPolicy: "RetainExceptOnCreate",
      UpdateReplacePolicy: "Retain",
      Properties: { RetentionInDays: { Ref: "logRetentionInDays" } },
    });
    expect(Outputs.RotationLogGroup.Value).toEqual({ Ref: "RotationLog" });
  });

  test("alarms at the first step that fails, and at the first that Lambda does not run, and says where to look", () => {
    const alarmOf = (metric: string) => ({
      Type: "AWS::CloudWatch::Alarm",
      Condition: "hasAlarmTopic",
      Properties: {
        AlarmDescription: {
          "Fn::Sub": expect.stringContaining("${functionName}") as string,
        },
        Namespace: "AWS/Lambda",
        MetricName: metric,
        Dimensions: [{ Name: "FunctionName", Value: { Ref: "RotationFunction" } }],
        Statistic: "Sum",
        Period: 300,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: [{ Ref: "alarmTopicArn" }],
      },
    });
    expect(FailureAlarm).toEqual(alarmOf("Errors"));
    expect(ThrottleAlarm).toEqual(alarmOf("Throttles"));
    expect(FailureAlarm.Properties.AlarmDescription["Fn::Sub"]).toMatch(/\$\{RotationLog\}.*locking-down\.md#alarms/);
  });
});
