import { isDeepStrictEqual } from "node:util";
import { RotationError } from "@quarterturn/core";

/** What the Data API calls a database's server: a provisioned cluster or a workgroup of Redshift Serverless. */
export type Place = { readonly ClusterIdentifier: string } | { readonly WorkgroupName: string };

/**
 * The cluster or workgroup whose endpoint a host name is: `CLUSTER.abc123.REGION.redshift.amazonaws.com` or
 * `WORKGROUP.ACCOUNT.REGION.redshift-serverless.amazonaws.com`. The host alone says it, since it is the host that is known to be the admin's.
 *
 * Statements go to the client's own Region and account, so an endpoint elsewhere is refused: a cluster of the same name may well be here. Of a
 * cluster's endpoint the account is not known; a workgroup's names it.
 *
 * @param region the client's
 * @param secretArn the rotated secret's, which is in the function's account
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-from-psql.html
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-connecting.html
 * @throws RotationError `bad-secret` for every other name
 */
export function placeOf(host: string, region: string, secretArn: string): Place {
  const [, name = "", owner, ...where] = ENDPOINT.exec(host.toLowerCase()) ?? [];
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  if (isDeepStrictEqual(where, [region, "redshift", suffix])) return { ClusterIdentifier: name };
  const account = secretArn.split(":")[4];
  if (isDeepStrictEqual([owner, ...where], [account, region, "redshift-serverless", suffix])) {
    return { WorkgroupName: name };
  }
  throw new RotationError(
    "bad-secret",
    `The host ${host} is not the endpoint of a cluster or workgroup in the function's Region (${region}) and account, so the Data API cannot be told where to go`,
    "This try changed nothing. Put the endpoint that Redshift shows (NAME....redshift.amazonaws.com or NAME....redshift-serverless.amazonaws.com) into the secret as host, run the function where the database is, or use REDSHIFT_TRANSPORT=wire for other names.",
  );
}

const ENDPOINT =
  /^([a-z0-9-]+)\.([a-z0-9]+)\.([a-z0-9-]+)\.(redshift|redshift-serverless)\.(amazonaws\.com(?:\.cn)?)\.?$/;
