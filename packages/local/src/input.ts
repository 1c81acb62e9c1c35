import * as v from "valibot";
import { listOf, oneOf, text, wholeNumber } from "./constraints.ts";

/*
 * The members of every operation's input with the limits of the service's API model
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html).
 */

const VALUE_LIMIT_BYTES = 65_536;

const optional = v.optional;
const flag = optional(v.boolean());
const secretId = text(1, 2048);
const versionId = text(32, 64);
const label = text(1, 256);
const clientRequestToken = optional(text(32, 64));
const description = optional(text(0, 2048));
const kmsKeyId = optional(text(0, 2048));
const secretType = optional(text(0, 256));
const region = text(1, 128, /^([a-z]+-)+\d+$/);
const policyDocument = text(1, 20_480);
const nextToken = optional(text(1, 4096));

const secretString = optional(
  v.pipe(
    v.string(),
    v.minLength(1, "Member must have length greater than or equal to 1"),
    v.maxBytes(VALUE_LIMIT_BYTES, `Member must have length less than or equal to ${VALUE_LIMIT_BYTES}`),
  ),
);

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const secretBinary = optional(
  v.pipe(
    v.custom<string>((value) => typeof value === "string" && BASE64.test(value)),
    v.check((value) => value !== "", "Member must have length greater than or equal to 1"),
    v.check(
      (value) => Buffer.byteLength(value, "base64") <= VALUE_LIMIT_BYTES,
      `Member must have length less than or equal to ${VALUE_LIMIT_BYTES}`,
    ),
  ),
);

const tags = v.array(v.object({ Key: text(1, 128), Value: text(0, 256) }));

const addReplicaRegions = listOf(v.object({ Region: region, KmsKeyId: kmsKeyId }), 1, Number.POSITIVE_INFINITY);

const filters = optional(
  listOf(
    v.object({
      Key: oneOf(["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"]),
      Values: listOf(text(0, 512, /^!?[a-zA-Z0-9 :_@/+=.\-!]*$/), 1, 10),
    }),
    0,
    10,
  ),
);

const rotationRules = v.object({
  AutomaticallyAfterDays: optional(wholeNumber(1, 1000)),
  Duration: optional(text(2, 3, /^[0-9]+h$/)),
  ScheduleExpression: optional(text(1, 256, /^[0-9A-Za-z()#?*\-/, ]+$/)),
});

const onlySecretId = v.object({ SecretId: secretId });

export const inputSchemas = {
  BatchGetSecretValue: v.object({
    SecretIdList: optional(listOf(secretId, 1, 20)),
    Filters: filters,
    MaxResults: optional(wholeNumber(1, 20)),
    NextToken: nextToken,
  }),
  CancelRotateSecret: onlySecretId,
  CreateSecret: v.object({
    Name: text(1, 512),
    ClientRequestToken: clientRequestToken,
    Description: description,
    KmsKeyId: kmsKeyId,
    SecretBinary: secretBinary,
    SecretString: secretString,
    Tags: optional(tags),
    AddReplicaRegions: optional(addReplicaRegions),
    ForceOverwriteReplicaSecret: flag,
    Type: secretType,
  }),
  DeleteResourcePolicy: onlySecretId,
  DeleteSecret: v.object({
    SecretId: secretId,
    RecoveryWindowInDays: optional(wholeNumber(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    ForceDeleteWithoutRecovery: flag,
  }),
  DescribeSecret: onlySecretId,
  GetRandomPassword: v.object({
    PasswordLength: optional(wholeNumber(1, 4096)),
    ExcludeCharacters: optional(text(0, 4096)),
    ExcludeNumbers: flag,
    ExcludePunctuation: flag,
    ExcludeUppercase: flag,
    ExcludeLowercase: flag,
    IncludeSpace: flag,
    RequireEachIncludedType: flag,
  }),
  GetResourcePolicy: onlySecretId,
  GetSecretValue: v.object({ SecretId: secretId, VersionId: optional(versionId), VersionStage: optional(label) }),
  ListSecretVersionIds: v.object({
    SecretId: secretId,
    MaxResults: optional(wholeNumber(1, 100)),
    NextToken: nextToken,
    IncludeDeprecated: flag,
  }),
  ListSecrets: v.object({
    IncludePlannedDeletion: flag,
    MaxResults: optional(wholeNumber(1, 100)),
    NextToken: nextToken,
    Filters: filters,
    SortOrder: optional(oneOf(["asc", "desc"])),
    SortBy: optional(oneOf(["created-date", "last-accessed-date", "last-changed-date", "name"])),
  }),
  PutResourcePolicy: v.object({ SecretId: secretId, ResourcePolicy: policyDocument, BlockPublicPolicy: flag }),
  PutSecretValue: v.object({
    SecretId: secretId,
    ClientRequestToken: clientRequestToken,
    SecretBinary: secretBinary,
    SecretString: secretString,
    VersionStages: optional(listOf(label, 1, 20)),
    RotationToken: optional(text(36, 256, /^[a-zA-Z0-9-]+$/)),
  }),
  RemoveRegionsFromReplication: v.object({
    SecretId: secretId,
    RemoveReplicaRegions: listOf(region, 1, Number.POSITIVE_INFINITY),
  }),
  ReplicateSecretToRegions: v.object({
    SecretId: secretId,
    AddReplicaRegions: addReplicaRegions,
    ForceOverwriteReplicaSecret: flag,
  }),
  RestoreSecret: onlySecretId,
  RotateSecret: v.object({
    SecretId: secretId,
    ClientRequestToken: clientRequestToken,
    RotationLambdaARN: optional(text(0, 2048)),
    RotationRules: optional(rotationRules),
    RotateImmediately: flag,
  }),
  StopReplicationToReplica: onlySecretId,
  TagResource: v.object({ SecretId: secretId, Tags: tags }),
  UntagResource: v.object({ SecretId: secretId, TagKeys: v.array(text(1, 128)) }),
  UpdateSecret: v.object({
    SecretId: secretId,
    ClientRequestToken: clientRequestToken,
    Description: description,
    KmsKeyId: kmsKeyId,
    SecretBinary: secretBinary,
    SecretString: secretString,
    Type: secretType,
  }),
  UpdateSecretVersionStage: v.object({
    SecretId: secretId,
    VersionStage: label,
    RemoveFromVersionId: optional(versionId),
    MoveToVersionId: optional(versionId),
  }),
  ValidateResourcePolicy: v.object({ SecretId: optional(secretId), ResourcePolicy: policyDocument }),
} as const;

export type OperationName = keyof typeof inputSchemas;

export type Input<Operation extends OperationName> = v.InferOutput<(typeof inputSchemas)[Operation]>;
