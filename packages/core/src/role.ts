import type { Permission, RotatorManifest, Strategy } from "./manifest.ts";

/**
 * What the role of every rotation function must be allowed: the templates grant it, and the command line's doctor looks for it. What one
 * product's functions need besides is in its manifest.
 */

/** Of Secrets Manager, on the secrets that name the function as their rotation function. */
export const secretOperations = [
  "DescribeSecret",
  "GetSecretValue",
  "PutSecretValue",
  "UpdateSecretVersionStage",
] as const;

/** Of KMS, on the own key of a secret that is rotated, through Secrets Manager. */
export const keyOperations = ["Decrypt", "GenerateDataKey"] as const;

/** Of KMS, on the own key of a secret that is only read, through Secrets Manager. */
export const readKeyOperations = ["Decrypt"] as const;

/** Of CloudWatch Logs, on the function's log group. */
export const logOperations = ["CreateLogStream", "PutLogEvents"] as const;

/**
 * Of EC2, for a function in a VPC: Lambda makes network interfaces in the role's name, on any resource, and takes them away again, on those of
 * the account and Region.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
export const networkInterfaceOperations = {
  make: [
    "AssignPrivateIpAddresses",
    "CreateNetworkInterface",
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "UnassignPrivateIpAddresses",
  ],
  takeAway: ["DeleteNetworkInterface"],
} as const;

/** What the functions of one strategy may do beyond their secrets. */
export const permissionsOf = ({
  manifest,
  strategy,
}: {
  readonly manifest: Pick<RotatorManifest, "permissions">;
  readonly strategy: Strategy;
}): readonly Permission[] =>
  (manifest.permissions ?? []).filter((permission) => (permission.strategy ?? strategy) === strategy);
