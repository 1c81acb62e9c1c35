import { arnAndName, descriptionOf, replicationStatus } from "./answers.ts";
import { invalidParameter, invalidRequest } from "./errors.ts";
import type { Input } from "./input.ts";
import { addReplicas } from "./replication.ts";
import type { Service } from "./service.ts";
import { ServiceError, validationFailed } from "./service-error.ts";
import {
  findSecret,
  newSecretArn,
  requireSecret,
  requireUsableSecret,
  type Secret,
  type State,
  type Tag,
} from "./state.ts";
import { putVersion, readValueMembers, requireToken } from "./versions.ts";

const DAY = 86_400_000;
const TAGS_PER_SECRET = 50;

export function createSecret(service: Service, input: Input<"CreateSecret">) {
  const token = requireToken(input.ClientRequestToken);
  checkName(input.Name);
  const value = readValueMembers(input);
  const existing = service.state.secrets.find(({ name }) => name === input.Name);
  if (existing !== undefined) {
    return answerRepeatedCreation(service, existing, token, input);
  }
  const now = service.now();
  const secret: Secret = {
    arn: newSecretArn(service.region, service.accountId, input.Name),
    name: input.Name,
    createdAt: now,
    changedAt: now,
    versions: [],
    replicas: [],
  };
  describe(secret, input);
  if (input.Tags !== undefined) secret.tags = mergeTags([], input.Tags);
  if (input.AddReplicaRegions !== undefined) addReplicas(service, secret, input.AddReplicaRegions);
  const version = value && putVersion(service, secret, token, value);
  service.state.secrets.push(secret);
  return {
    ...arnAndName(secret),
    VersionId: version?.id,
    ...(secret.replicas.length > 0 && { ReplicationStatus: replicationStatus(secret.replicas) }),
  };
}

export function describeSecret({ state }: Service, input: Input<"DescribeSecret">) {
  return descriptionOf(requireSecret(state, input.SecretId));
}

export function updateSecret(service: Service, input: Input<"UpdateSecret">) {
  const token = requireToken(input.ClientRequestToken);
  const secret = requireUsableSecret(service.state, input.SecretId);
  const value = readValueMembers(input);
  const version = value && putVersion(service, secret, token, value);
  describe(secret, input);
  secret.changedAt = service.now();
  return { ...arnAndName(secret), VersionId: version?.id };
}

export function deleteSecret(service: Service, input: Input<"DeleteSecret">) {
  const { ForceDeleteWithoutRecovery: force, RecoveryWindowInDays: days } = input;
  if (force === true && days !== undefined) {
    throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
  }
  if (days !== undefined && (days < 7 || days > 30)) {
    throw invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
  }
  const now = service.now();
  const secret = findSecret(service.state, input.SecretId);
  if (secret === undefined && force === true) {
    return { ...nameWithoutSecret(service, input.SecretId), DeletionDate: now / 1000 };
  }
  const found =
    force === true ? requireSecret(service.state, input.SecretId) : requireUsableSecret(service.state, input.SecretId);
  if (found.replicas.length > 0) {
    throw invalidRequest(
      `You can't delete secret ${found.name} that still has replica regions ${found.replicas.map(({ region }) => region).join(", ")}.`,
    );
  }
  service.rotations.cancel(found);
  if (force === true) {
    removeSecret(service.state, found);
    return { ...arnAndName(found), DeletionDate: now / 1000 };
  }
  found.deletesAt = now + (days ?? 30) * DAY;
  found.changedAt = now;
  return { ...arnAndName(found), DeletionDate: found.deletesAt / 1000 };
}

export function restoreSecret(service: Service, input: Input<"RestoreSecret">) {
  const secret = requireSecret(service.state, input.SecretId);
  if (secret.deletesAt !== undefined) {
    delete secret.deletesAt;
    secret.changedAt = service.now();
  }
  return arnAndName(secret);
}

/** Removes the secrets whose recovery window is over. */
export function removeExpiredSecrets(state: State, now: number): void {
  for (const secret of state.secrets.filter(({ deletesAt = Number.POSITIVE_INFINITY }) => deletesAt <= now)) {
    removeSecret(state, secret);
  }
}

export function tagResource(service: Service, input: Input<"TagResource">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  secret.tags = mergeTags(secret.tags ?? [], input.Tags);
  secret.changedAt = service.now();
  return {};
}

export function untagResource(service: Service, input: Input<"UntagResource">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  secret.tags = (secret.tags ?? []).filter(({ Key }) => !input.TagKeys.includes(Key));
  secret.changedAt = service.now();
  return {};
}

/** CreateSecret is idempotent by its token, so that a client may retry it. */
function answerRepeatedCreation(service: Service, existing: Secret, token: string, input: Input<"CreateSecret">) {
  if (existing.deletesAt !== undefined) {
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  const value = readValueMembers(input);
  if (value === undefined || !existing.versions.some(({ id }) => id === token)) {
    throw new ServiceError(
      "ResourceExistsException",
      `The operation failed because the secret ${existing.name} already exists.`,
    );
  }
  return { ...arnAndName(existing), VersionId: putVersion(service, existing, token, value).id };
}

function describe(
  secret: Secret,
  input: { Description?: string | undefined; KmsKeyId?: string | undefined; Type?: string | undefined },
): void {
  if (input.Description !== undefined) secret.description = input.Description;
  if (input.KmsKeyId !== undefined) secret.kmsKeyId = input.KmsKeyId;
  if (input.Type !== undefined) secret.type = input.Type;
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9/_+=.@!-]+$/.test(name)) {
    throw validationFailed(
      "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    );
  }
}

function mergeTags(tags: readonly Tag[], added: readonly Tag[]): Tag[] {
  const reserved = added.find(({ Key }) => Key.toLowerCase().startsWith("aws:"));
  if (reserved !== undefined) throw invalidParameter(`The tag key ${reserved.Key} can't start with aws:.`);
  const merged = new Map([...tags, ...added].map((tag) => [tag.Key, tag]));
  if (merged.size > TAGS_PER_SECRET) throw invalidParameter(`A secret can have ${TAGS_PER_SECRET} tags at most.`);
  return [...merged.values()];
}

function removeSecret(state: State, secret: Secret): void {
  state.secrets = state.secrets.filter((other) => other !== secret);
}

/** A forced deletion of what does not exist succeeds. */
function nameWithoutSecret(service: Service, secretId: string) {
  const name = secretId.startsWith("arn:") ? (secretId.split(":secret:")[1] ?? secretId) : secretId;
  return {
    ARN: secretId.startsWith("arn:") ? secretId : newSecretArn(service.region, service.accountId, name),
    Name: name,
  };
}
