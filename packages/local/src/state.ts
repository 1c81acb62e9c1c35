import { randomInt } from "node:crypto";
import { markedForDeletion, secretNotFound } from "./errors.ts";

/** What the endpoint remembers: plain data, written to the file as it is. Times are milliseconds since 1970. */
export interface State {
  secrets: Secret[];
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  type?: string;
  description?: string;
  kmsKeyId?: string;
  tags?: Tag[];
  createdAt: number;
  changedAt: number;
  accessedAt?: number;
  rotatedAt?: number;
  /** When the recovery window ends. Present only while the secret is marked for deletion. */
  deletesAt?: number;
  /** From old to new. */
  versions: SecretVersion[];
  policy?: string;
  replicas: Replica[];
  rotationSettings?: RotationSettings;
  /** The rotation that the endpoint is working on, or has given up. */
  rotation?: Rotation;
}

export interface SecretVersion {
  readonly id: string;
  readonly labels: readonly string[];
  readonly createdAt: number;
  /** Absent in the placeholder that RotateSecret makes. */
  readonly value?: SecretValue;
  readonly accessedAt?: number;
}

/** `SecretBinary` is base64, as it travels. */
export type SecretValue = { readonly SecretString: string } | { readonly SecretBinary: string };

export interface Tag {
  Key: string;
  Value: string;
}

export type ReplicaStatus = "InSync" | "InProgress" | "Failed";

export interface Replica {
  readonly region: string;
  readonly kmsKeyId?: string;
  status: ReplicaStatus;
  statusMessage?: string;
}

export interface RotationRules {
  AutomaticallyAfterDays?: number;
  ScheduleExpression?: string;
  Duration?: string;
}

export interface RotationSettings {
  enabled: boolean;
  functionArn: string;
  rules?: RotationRules;
  nextWindow?: RotationWindow;
}

export interface RotationWindow {
  opensAt: number;
  closesAt: number;
}

export interface Rotation {
  readonly versionId: string;
  readonly rotationToken: string;
  /** A test runs testSecret alone, with a version that is removed afterwards (RotateImmediately=false). */
  readonly kind: "rotation" | "test";
  /** How often the steps were begun since the rotation was last asked for. */
  tries: number;
  /** Given up: every retry failed. The version stays AWSPENDING until it is asked for again or cleared. */
  givenUp: boolean;
}

/** Finds a secret by name, ARN, or ARN without the six random characters. */
export function findSecret(state: State, secretId: string): Secret | undefined {
  return state.secrets.find(
    (secret) =>
      secret.name === secretId || secret.arn === secretId || secret.arn.slice(0, -RANDOM_SUFFIX_LENGTH) === secretId,
  );
}

/** @throws ResourceNotFoundException */
export function requireSecret(state: State, secretId: string): Secret {
  const secret = findSecret(state, secretId);
  if (secret === undefined) throw secretNotFound();
  return secret;
}

/** @throws ResourceNotFoundException, or InvalidRequestException if the secret is marked for deletion */
export function requireUsableSecret(state: State, secretId: string): Secret {
  const secret = requireSecret(state, secretId);
  if (secret.deletesAt !== undefined) throw markedForDeletion();
  return secret;
}

const SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const RANDOM_SUFFIX_LENGTH = "-AbCdEf".length;

export function newSecretArn(region: string, accountId: string, name: string): string {
  const suffix = Array.from({ length: 6 }, () => SUFFIX_ALPHABET.charAt(randomInt(SUFFIX_ALPHABET.length))).join("");
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${suffix}`;
}
