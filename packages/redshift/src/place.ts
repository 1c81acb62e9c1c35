import { RotationError } from "@quarterturn/core";

/** What the Data API calls a database's server: a provisioned cluster or a workgroup of Redshift Serverless. */
export type Place = { readonly ClusterIdentifier: string } | { readonly WorkgroupName: string };

/**
 * The cluster or workgroup whose endpoint a host name is: `CLUSTER.abc123.REGION.redshift.amazonaws.com` or
 * `WORKGROUP.ACCOUNT.REGION.redshift-serverless.amazonaws.com`. The host alone says it, since it is the host that is known to be the admin's.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-from-psql.html
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-connecting.html
 * @throws RotationError `bad-secret` for every other name
 */
export function placeOf(host: string): Place {
  const [, name, service] = ENDPOINT.exec(host.toLowerCase()) ?? [];
  if (name !== undefined && service === "redshift") return { ClusterIdentifier: name };
  if (name !== undefined) return { WorkgroupName: name };
  throw new RotationError(
    "bad-secret",
    `The host ${host} is not the endpoint of a cluster or workgroup, so the Data API cannot be told where to go`,
    "This try changed nothing. Put the endpoint that Redshift shows (NAME....redshift.amazonaws.com or NAME....redshift-serverless.amazonaws.com) into the secret as host, or use REDSHIFT_TRANSPORT=wire for other names.",
  );
}

const ENDPOINT = /^([a-z0-9-]+)\.[a-z0-9]+\.[a-z0-9-]+\.(redshift|redshift-serverless)\.amazonaws\.com(?:\.cn)?\.?$/;
