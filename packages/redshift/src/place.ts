import { RotationError } from "@quarterturn/core";

/** What the Data API calls a database's server: a provisioned cluster or a workgroup of Redshift Serverless. */
export type Place = { readonly ClusterIdentifier: string } | { readonly WorkgroupName: string };

/**
 * The cluster or workgroup whose endpoint a host name is: `CLUSTER.abc123.REGION.redshift.amazonaws.com` or
 * `WORKGROUP.ACCOUNT.REGION.redshift-serverless.amazonaws.com`. The host alone says it, since it is the host that is known to be the admin's.
 * The Data API takes the name alone, for the Region and account that it is called in, where another cluster may have it: so the host's must be
 * the rotated secret's. A cluster's host does not show its account.
 *
 * @param secretArn the rotated secret
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-from-psql.html
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-connecting.html
 * @throws RotationError `bad-secret` for every other name
 */
export function placeOf(host: string, secretArn: string): Place {
  const [, name, account, region, service] = ENDPOINT.exec(host.toLowerCase()) ?? [];
  if (name === undefined) {
    throw new RotationError(
      "bad-secret",
      `The host ${host} is not the endpoint of a cluster or workgroup, so the Data API cannot be told where to go`,
      "This try changed nothing. Put the endpoint that Redshift shows (NAME....redshift.amazonaws.com or NAME....redshift-serverless.amazonaws.com) into the secret as host, or use REDSHIFT_TRANSPORT=wire for other names.",
    );
  }
  const isServerless = service === "redshift-serverless";
  const [, , , secretsRegion, secretsAccount] = secretArn.split(":");
  if (region !== secretsRegion || (isServerless && account !== secretsAccount)) {
    throw new RotationError(
      "bad-secret",
      `The host ${host} is in another Region or account than the secret, and the Data API would look for "${name}" in the secret's`,
      "This try changed nothing. Correct the host, or keep the secret and its function where the cluster or workgroup is, or use REDSHIFT_TRANSPORT=wire.",
    );
  }
  return isServerless ? { WorkgroupName: name } : { ClusterIdentifier: name };
}

const ENDPOINT =
  /^([a-z0-9-]+)\.([a-z0-9]+)\.([a-z0-9-]+)\.(redshift|redshift-serverless)\.amazonaws\.com(?:\.cn)?\.?$/;
