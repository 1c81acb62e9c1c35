import { daysBetweenRotations } from "./schedule.ts";
import type { Replica, RotationRules, Secret, SecretVersion } from "./state.ts";

/** JSON 1.1 carries times as seconds since 1970; JSON.stringify drops what is undefined. */
const seconds = (time: number | undefined) => (time === undefined ? undefined : time / 1000);

export const arnAndName = ({ arn, name }: Secret) => ({ ARN: arn, Name: name });

export const valueAnswerOf = (secret: Secret, version: SecretVersion) => ({
  ...arnAndName(secret),
  VersionId: version.id,
  ...version.value,
  ...(version.labels.length > 0 && { VersionStages: version.labels }),
  CreatedDate: seconds(version.createdAt),
});

export const descriptionOf = (secret: Secret) => ({
  ...whatListAndDescribeShow(secret),
  VersionIdsToStages: labelledVersions(secret),
  ...(secret.replicas.length > 0 && { ReplicationStatus: replicationStatus(secret.replicas) }),
});

export const listEntryOf = (secret: Secret) => ({
  ...whatListAndDescribeShow(secret),
  SecretVersionsToStages: labelledVersions(secret),
});

export const replicationStatus = (replicas: readonly Replica[]) =>
  replicas.map(({ region, kmsKeyId, status, statusMessage }) => ({
    Region: region,
    KmsKeyId: kmsKeyId,
    Status: status,
    StatusMessage: statusMessage,
  }));

/** A version in ListSecretVersionIds. Without a key of its own, a secret is encrypted with aws/secretsmanager. */
export const versionEntryOf = (secret: Secret, version: SecretVersion) => ({
  VersionId: version.id,
  ...(version.labels.length > 0 && { VersionStages: version.labels }),
  LastAccessedDate: seconds(version.accessedAt),
  CreatedDate: seconds(version.createdAt),
  KmsKeyIds: [secret.kmsKeyId ?? "DefaultEncryptionKey"],
});

function whatListAndDescribeShow(secret: Secret) {
  const settings = secret.rotationSettings;
  return {
    ...arnAndName(secret),
    Type: secret.type,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: settings?.enabled,
    RotationLambdaARN: settings?.functionArn,
    RotationRules: settings?.rules && withDays(settings.rules, secret),
    LastRotatedDate: seconds(secret.rotatedAt),
    LastChangedDate: seconds(secret.changedAt),
    LastAccessedDate: seconds(secret.accessedAt),
    DeletedDate: seconds(secret.deletesAt),
    // The rotation happens on or before this date: the window's last second.
    NextRotationDate: settings?.enabled && settings.nextWindow ? settings.nextWindow.closesAt / 1000 - 1 : undefined,
    Tags: secret.tags,
    CreatedDate: seconds(secret.createdAt),
    PrimaryRegion: secret.replicas.length > 0 ? secret.arn.split(":")[3] : undefined,
  };
}

/** After a rotation the service shows beside a ScheduleExpression how many days it amounts to. */
function withDays(rules: RotationRules, { rotatedAt }: Secret): RotationRules {
  if (rules.ScheduleExpression === undefined || rotatedAt === undefined) return rules;
  const days = daysBetweenRotations(rules, rotatedAt);
  return days === undefined ? rules : { AutomaticallyAfterDays: days, ...rules };
}

/** Deprecated versions, those without a label, are not shown; a secret without versions shows no map. */
function labelledVersions(secret: Secret) {
  const labelled = secret.versions.filter(({ labels }) => labels.length > 0);
  return labelled.length === 0 ? undefined : Object.fromEntries(labelled.map(({ id, labels }) => [id, labels]));
}
