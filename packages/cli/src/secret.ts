import { DescribeSecretCommand, type DescribeSecretCommandOutput } from "@aws-sdk/client-secrets-manager";
import { type RotationState, rotationState, type VersionLabels } from "@quarterturn/core";
import { ask } from "./aws.ts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";

/** What is known of a secret without its value; dates are absent where the service does not say them. */
export interface Secret {
  /** As it was asked about, for what to run next: where it is in another account, its name does not lead to it. */
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly state: RotationState;
  /** Absent where rotation was never configured, false where it was cancelled. */
  readonly rotationEnabled?: boolean;
  readonly functionArn?: string;
  readonly schedule?: {
    readonly automaticallyAfterDays?: number;
    readonly expression?: string;
    readonly duration?: string;
  };
  readonly created?: Date;
  readonly lastChanged?: Date;
  readonly lastRotated?: Date;
  readonly nextRotation?: Date;
  /** Present where it is marked for deletion. */
  readonly deleted?: Date;
  readonly versions: VersionLabels;
  /** Where it is rotated from: another Region than its own for a replica; absent where it is in one Region only. */
  readonly primaryRegion?: string;
  /** Absent where it is aws/secretsmanager. */
  readonly kmsKeyId?: string;
  /** The service of AWS that manages the secret, e.g. `rds`; absent where none does. */
  readonly owningService?: string;
}

/**
 * How long nothing may change at a secret before its rotation counts as failed: the service does not say that it has given up, and a
 * rotation is four invocations, each of at most the quarter of an hour that Lambda allows.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const PATIENCE_MS = 4 * 15 * 60_000;

/** DescribeSecret. @throws Failure */
export async function describe(context: Context, secretId: string): Promise<Secret> {
  return secretOf(secretId, await describeSecret(context, secretId), context.io.now());
}

/**
 * The same of a secret that is to be changed: a replica's labels are not, and its database must not be without them.
 *
 * @throws Failure also where it is a replica
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/standalone-secret.html
 */
export async function describePrimary(context: Context, secretId: string): Promise<Secret> {
  const secret = await describe(context, secretId);
  const primary = primaryOf(secret);
  if (primary === undefined) return secret;
  const standAlone = context.aws("secretsmanager", "stop-replication-to-replica", "--secret-id", secretId);
  throw new Failure(
    "refused",
    `"${secret.name}" is a replica, and changes with its primary in ${primary.region} only`,
    `Run the same command with --region ${primary.region}, by its name or as ${primary.arn}; where that Region is lost, first make this one a secret of its own: ${standAlone}`,
  );
}

/** How the version that works is found: recover does not come between the service's tries of a rotation that goes on. */
export const toRecover = (next: Context["next"], { id, state }: Pick<Secret, "id" | "state">): string =>
  state === "ROTATION_IN_PROGRESS"
    ? `${next("cancel", id)} (rotation is on), then ${next("recover", id)}`
    : next("recover", id);

/** What a replica is one of; undefined where it is none. */
export function primaryOf({
  arn,
  primaryRegion: region,
}: Pick<Secret, "arn" | "primaryRegion">): { readonly region: string; readonly arn: string } | undefined {
  if (region === undefined || region === regionOf(arn)) return undefined;
  // Their ARNs differ in nothing else.
  return { region, arn: arn.replace(`:${regionOf(arn)}:`, `:${region}:`) };
}

/** The Region of an ARN. */
export const regionOf = (arn: string): string => arn.split(":")[3] ?? "";

/** By which a secret that another service manages says what it is for. @throws Failure */
export async function tagsOf(context: Context, secretId: string): Promise<{ tags: Record<string, string> }> {
  const { Tags = [] } = await describeSecret(context, secretId);
  return { tags: Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value])) };
}

function describeSecret(context: Context, secretId: string): Promise<DescribeSecretCommandOutput> {
  const command = new DescribeSecretCommand({ SecretId: secretId });
  return ask(context, secretId, (options) => context.secretsManager.send(command, options));
}

function secretOf(id: string, described: DescribeSecretCommandOutput, now: Date): Secret {
  const { RotationEnabled, VersionIdsToStages: versions = {}, LastChangedDate, RotationRules: rules } = described;
  return withoutUndefined({
    id,
    name: described.Name ?? "",
    arn: described.ARN ?? "",
    state: rotationState(
      { rotationEnabled: RotationEnabled, versions, lastChanged: LastChangedDate },
      now,
      PATIENCE_MS,
    ),
    rotationEnabled: RotationEnabled,
    functionArn: described.RotationLambdaARN,
    schedule:
      rules &&
      withoutUndefined({
        automaticallyAfterDays: rules.AutomaticallyAfterDays,
        expression: rules.ScheduleExpression,
        duration: rules.Duration,
      }),
    created: described.CreatedDate,
    lastChanged: LastChangedDate,
    lastRotated: described.LastRotatedDate,
    nextRotation: described.NextRotationDate,
    deleted: described.DeletedDate,
    versions,
    primaryRegion: described.PrimaryRegion,
    kmsKeyId: described.KmsKeyId,
    owningService: described.OwningService,
  });
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
