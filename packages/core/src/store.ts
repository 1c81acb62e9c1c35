import type { RotationError } from "./errors.ts";
import type { LabelMove, VersionLabels } from "./labels.ts";

/** What DescribeSecret says, as far as a rotation needs it. */
export interface DescribedSecret {
  /** Absent where rotation was never configured. */
  readonly rotationEnabled?: boolean;
  readonly versions: VersionLabels;
  /** Regions whose replica is not in sync, with the status that the service gave. */
  readonly laggingReplicas: readonly { readonly region: string; readonly status: string }[];
  readonly tags: Readonly<Record<string, string>>;
  /** The KMS key that encrypts the secret; absent where it is aws/secretsmanager. */
  readonly kmsKeyId?: string;
}

/** One version of a secret with its value. */
export interface SecretVersion {
  readonly id: string;
  readonly labels: readonly string[];
  /** SecretString. */
  readonly text: string;
}

/**
 * The calls of Secrets Manager that a rotation makes. Every method throws RotationError: `privilege`, `unreachable`, `timeout`,
 * `bad-secret` (a binary value) or `service`.
 */
export interface SecretStore {
  /** DescribeSecret. */
  describe(secretId: string): Promise<DescribedSecret>;
  /** GetSecretValue by version id or by label; undefined where there is no such version or it has no value yet. */
  read(
    secretId: string,
    which: { readonly version: string } | { readonly label: string },
  ): Promise<SecretVersion | undefined>;
  /**
   * PutSecretValue with AWSPENDING under this token. `exists`: the token already has another value, which is kept: an earlier try wrote it.
   * `refused`: certainly not stored. After an error that is thrown it may have been.
   *
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
   */
  putPending(
    secretId: string,
    token: string,
    text: string,
    rotationToken: string | undefined,
  ): Promise<"written" | "exists" | { readonly refused: RotationError }>;
  /** UpdateSecretVersionStage as a compare-and-swap; `conflict` where the label was not on `move.from`. */
  move(secretId: string, move: LabelMove): Promise<"moved" | "conflict">;
}
