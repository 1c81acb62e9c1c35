import { arnAndName, valueAnswerOf, versionEntryOf } from "./answers.ts";
import {
  invalidParameter,
  invalidRequest,
  limitExceeded,
  tokenInUse,
  valueNotFoundForLabel,
  valueNotFoundForVersion,
} from "./errors.ts";
import type { Input } from "./input.ts";
import { matchesFilters, page } from "./listing.ts";
import { nextWindow } from "./schedule.ts";
import type { Service } from "./service.ts";
import { accessDenied, ServiceError } from "./service-error.ts";
import { requireSecret, requireUsableSecret, type Secret, type SecretValue, type SecretVersion } from "./state.ts";
import {
  attachLabel,
  attachLabelsOfNewValue,
  detachLabel,
  dropOldestDeprecated,
  holderOf,
} from "./versions-and-labels.ts";

const VERSIONS_KEPT = 100;
const LABELS_PER_SECRET = 20;
const DAY = 86_400_000;

export function getSecretValue(service: Service, input: Input<"GetSecretValue">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  return readValue(service, secret, input.VersionId, input.VersionStage);
}

export function batchGetSecretValue(service: Service, input: Input<"BatchGetSecretValue">) {
  const { SecretIdList: ids, Filters: filters } = input;
  if ((ids === undefined) === (filters === undefined)) {
    throw invalidParameter("You must provide either SecretIdList or Filters, and not both.");
  }
  if (ids !== undefined && (input.MaxResults !== undefined || input.NextToken !== undefined)) {
    throw invalidParameter("You can use MaxResults and NextToken with Filters only.");
  }
  const found = service.state.secrets.filter(
    (secret) => secret.deletesAt === undefined && matchesFilters(secret, service.region, filters ?? []),
  );
  const filtered = page(found, (secret) => [secret.createdAt, secret.arn], input.MaxResults ?? 20, input.NextToken);
  const values: object[] = [];
  const errors: object[] = [];
  for (const id of ids ?? filtered.items.map(({ arn }) => arn)) {
    try {
      values.push(readValue(service, requireUsableSecret(service.state, id)));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues: values, Errors: errors, NextToken: ids === undefined ? filtered.nextToken : undefined };
}

export function putSecretValue(service: Service, input: Input<"PutSecretValue">) {
  const token = requireToken(input.ClientRequestToken);
  const secret = requireUsableSecret(service.state, input.SecretId);
  const value = readValueMembers(input);
  if (value === undefined) throw invalidRequest("You must provide either SecretString or SecretBinary.");
  if (input.RotationToken !== undefined && !isTokenOfRotation(secret, input.RotationToken, token)) {
    throw accessDenied(
      "The RotationToken doesn't belong to a rotation in progress of this version. Pass on the token of the rotation event.",
    );
  }
  const version = putVersion(service, secret, token, value, input.VersionStages);
  return { ...arnAndName(secret), VersionId: version.id, VersionStages: version.labels };
}

/**
 * Adds a version, or fills the placeholder of a rotation. Idempotent: the same token with the same value changes
 * nothing. Without labels the value becomes AWSCURRENT; a secret's first version always does.
 * @throws ResourceExistsException if the token's version holds another value
 */
export function putVersion(
  service: Service,
  secret: Secret,
  versionId: string,
  value: SecretValue,
  stages: readonly string[] = ["AWSCURRENT"],
): SecretVersion {
  const existing = secret.versions.find(({ id }) => id === versionId);
  if (existing?.value !== undefined) {
    if (isSameValue(existing.value, value)) return existing;
    throw tokenInUse(versionId, secret.arn);
  }
  const labels = secret.versions.length === 0 ? [...new Set([...stages, "AWSCURRENT"])] : stages;
  const version: SecretVersion = existing
    ? { ...existing, value }
    : { id: versionId, labels: [], createdAt: service.now(), value };
  const versions = existing
    ? secret.versions.map((other) => (other.id === versionId ? version : other))
    : [...secret.versions, version];
  replaceVersions(service, secret, attachLabelsOfNewValue(versions, labels, versionId));
  if (labels.includes("AWSCURRENT")) postponeRotation(service, secret);
  return requireVersion(secret, versionId);
}

export function updateSecretVersionStage(service: Service, input: Input<"UpdateSecretVersionStage">) {
  const { VersionStage: label, MoveToVersionId: to, RemoveFromVersionId: from } = input;
  const secret = requireUsableSecret(service.state, input.SecretId);
  if (to === undefined && from === undefined) {
    throw invalidParameter("You must provide MoveToVersionId, RemoveFromVersionId, or both.");
  }
  for (const id of [to, from]) if (id !== undefined) requireVersion(secret, id);
  const holder = holderOf(secret.versions, label);
  if (to === undefined && label === "AWSCURRENT") {
    throw invalidParameter(
      "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
    );
  }
  if (holder !== undefined && holder.id !== from && !(from === undefined && holder.id === to)) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (holder === undefined && from !== undefined) {
    throw invalidParameter(
      `Staging label ${label} isn't attached to version ${from}, so it can't be removed from that version.`,
    );
  }
  const versions = to === undefined ? detachLabel(secret.versions, label) : attachLabel(secret.versions, label, to);
  replaceVersions(service, secret, versions);
  return arnAndName(secret);
}

export function listSecretVersionIds(service: Service, input: Input<"ListSecretVersionIds">) {
  const secret = requireSecret(service.state, input.SecretId);
  const versions = secret.versions.filter(({ labels }) => input.IncludeDeprecated === true || labels.length > 0);
  const { items, nextToken } = page(
    versions,
    (version) => [version.createdAt, version.id],
    input.MaxResults ?? 100,
    input.NextToken,
  );
  return {
    Versions: items.map((version) => versionEntryOf(secret, version)),
    NextToken: nextToken,
    ...arnAndName(secret),
  };
}

/** @throws InvalidRequestException: only the SDKs fill in a token by themselves */
export function requireToken(token: string | undefined): string {
  if (token === undefined) {
    throw invalidRequest("You must provide a ClientRequestToken value. We recommend a UUID-type value.");
  }
  return token;
}

export function readValueMembers(input: {
  SecretString?: string | undefined;
  SecretBinary?: string | undefined;
}): SecretValue | undefined {
  const { SecretString, SecretBinary } = input;
  if (SecretString !== undefined && SecretBinary !== undefined) {
    throw invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (SecretString !== undefined) return { SecretString };
  return SecretBinary === undefined ? undefined : { SecretBinary };
}

function readValue(service: Service, secret: Secret, versionId?: string, label?: string) {
  const version = findVersion(secret, versionId, label);
  const today = Math.floor(service.now() / DAY) * DAY;
  secret.accessedAt = today;
  secret.versions = secret.versions.map((other) => (other === version ? { ...other, accessedAt: today } : other));
  return valueAnswerOf(secret, version);
}

/** @throws ResourceNotFoundException also for a placeholder, which has no value yet */
function findVersion(secret: Secret, versionId: string | undefined, label: string | undefined): SecretVersion {
  if (versionId === undefined) {
    const wanted = label ?? "AWSCURRENT";
    const version = holderOf(secret.versions, wanted);
    if (version?.value === undefined) throw valueNotFoundForLabel(wanted);
    return version;
  }
  const version = requireVersion(secret, versionId);
  if (label !== undefined && !version.labels.includes(label)) {
    throw invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.");
  }
  if (version.value === undefined) throw valueNotFoundForVersion(versionId);
  return version;
}

function requireVersion(secret: Secret, versionId: string): SecretVersion {
  const version = secret.versions.find(({ id }) => id === versionId);
  if (version === undefined) throw valueNotFoundForVersion(versionId);
  return version;
}

function replaceVersions(service: Service, secret: Secret, versions: readonly SecretVersion[]): void {
  if (versions.flatMap(({ labels }) => labels).length > LABELS_PER_SECRET) {
    throw limitExceeded(
      `A secret can have ${LABELS_PER_SECRET} staging labels at most: remove one that you don't need.`,
    );
  }
  secret.versions = dropOldestDeprecated(versions, VERSIONS_KEPT);
  secret.changedAt = service.now();
}

/** With AutomaticallyAfterDays, a value that was put by hand counts as a rotation. */
function postponeRotation(service: Service, secret: Secret): void {
  const settings = secret.rotationSettings;
  if (settings?.rules?.AutomaticallyAfterDays === undefined) return;
  const window = nextWindow(settings.rules, service.now());
  if (window !== undefined) settings.nextWindow = window;
}

function isTokenOfRotation(secret: Secret, rotationToken: string, versionId: string): boolean {
  return secret.rotation?.rotationToken === rotationToken && secret.rotation.versionId === versionId;
}

const isSameValue = (a: SecretValue, b: SecretValue) => JSON.stringify(a) === JSON.stringify(b);
