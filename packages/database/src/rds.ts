/**
 * What only the RDS API can say. Loaded when it is needed, and bundled as a file of its own, since its client is as large as everything
 * else together.
 */
import { DescribeDBClustersCommand, DescribeDBInstancesCommand, RDSClient } from "@aws-sdk/client-rds";
import { RotationError, reasonOf } from "@quarterturn/core";

/** Whether a host name is one that RDS gave, so that the API can be asked about it. */
export function isRdsHost(host: string): boolean {
  return /^[a-z0-9-]+\.(cluster-(ro-)?)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/i.test(host);
}

/**
 * The server that a managed admin secret is for: RDS tags the secret with the instance's or the cluster's ARN.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
 * @throws RotationError `bad-secret` where the tags name none, `wrong-target` for another engine, `privilege` or `service`
 */
export async function managedServer(
  secretArn: string,
  tags: Readonly<Record<string, string>>,
  engines: readonly string[],
): Promise<{ host: string; port: number }> {
  const tag = (name: string) => Object.entries(tags).find(([key]) => key.toLowerCase() === name)?.[1];
  const instance = tag("aws:rds:primarydbinstancearn");
  const cluster = tag("aws:rds:primarydbclusterarn");
  const arn = instance ?? cluster;
  if (arn === undefined) {
    throw new RotationError(
      "bad-secret",
      `The admin secret ${secretArn} has no host, and no tag of RDS that names its instance or cluster`,
      "Nothing was changed. Put host and port into the admin secret.",
    );
  }
  const found = instance === undefined ? await clusterEndpoint(arn) : await instanceEndpoint(arn);
  if (found.engine === undefined || found.host === undefined || found.port === undefined) {
    throw new RotationError(
      "bad-secret",
      `RDS knows no endpoint of ${arn}, which the admin secret ${secretArn} is for`,
      "Nothing was changed. Wait until the database is available, or put host and port into the admin secret.",
    );
  }
  if (!engines.includes(found.engine)) {
    throw new RotationError(
      "wrong-target",
      `The admin secret ${secretArn} is for a database of engine ${found.engine}`,
      `Nothing was changed. This function rotates ${engines.join(" and ")}.`,
    );
  }
  return { host: found.host, port: found.port };
}

async function instanceEndpoint(arn: string) {
  const instance = await describeInstance(arn);
  return { engine: instance?.Engine, host: instance?.Endpoint?.Address, port: instance?.Endpoint?.Port };
}

async function clusterEndpoint(arn: string) {
  const cluster = await describeCluster(arn);
  return { engine: cluster?.Engine, host: cluster?.Endpoint, port: cluster?.Port };
}

/** Whether one host is the instance, a read replica, a member or an endpoint of the other's database, as RDS says. */
export async function isSameDatabase(host: string, adminHost: string): Promise<boolean> {
  const [secret, admin] = await Promise.all([databaseOf(host), databaseOf(adminHost)]);
  return secret !== undefined && secret === admin;
}

/** The id of the cluster that a host belongs to, or of the instance that it is or replicates; undefined where RDS shows no such endpoint. */
async function databaseOf(host: string): Promise<string | undefined> {
  const name = host.toLowerCase();
  const [identifier = "", second = ""] = name.split(".");
  if (second.startsWith("cluster-")) {
    const cluster = await describeCluster(identifier);
    const endpoints = [cluster?.Endpoint, cluster?.ReaderEndpoint];
    return endpoints.some((endpoint) => endpoint?.toLowerCase() === name)
      ? `cluster:${cluster?.DBClusterIdentifier}`
      : undefined;
  }
  const instance = await describeInstance(identifier);
  // The identifier alone proves nothing: the same one exists in other accounts and regions.
  if (instance?.Endpoint?.Address?.toLowerCase() !== name) return undefined;
  if (instance.DBClusterIdentifier !== undefined) return `cluster:${instance.DBClusterIdentifier}`;
  return `instance:${instance.ReadReplicaSourceDBInstanceIdentifier ?? instance.DBInstanceIdentifier}`;
}

const client = new RDSClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
});

async function describeInstance(identifier: string) {
  const output = await asking("DescribeDBInstances", () =>
    client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
  );
  return output?.DBInstances?.[0];
}

async function describeCluster(identifier: string) {
  const output = await asking("DescribeDBClusters", () =>
    client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
  );
  return output?.DBClusters?.[0];
}

async function asking<Output>(operation: string, send: () => Promise<Output>): Promise<Output | undefined> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Error && /^DB(Instance|Cluster)NotFound/.test(error.name)) return undefined;
    const isDenied = error instanceof Error && /AccessDenied|UnauthorizedOperation/.test(error.name);
    throw new RotationError(
      isDenied ? "privilege" : "service",
      `RDS did not answer ${operation}: ${reasonOf(error)}`,
      `Nothing was changed. Allow rds:${operation} in the function's role and let it reach the RDS API, or put host and port into the admin secret and list other hosts in ALLOWED_HOSTS.`,
      { cause: error },
    );
  }
}
