/**
 * What only the RDS API can say. Loaded when it is needed, and bundled as a file of its own, since its client is as large as everything
 * else together.
 */
import { DescribeDBClustersCommand, DescribeDBInstancesCommand, RDSClient } from "@aws-sdk/client-rds";
import { apiClientOptions, askApi, type Deadline, RotationError } from "@quarterturn/core";

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
  deadline: Deadline,
): Promise<{ host: string; port: number }> {
  const tag = (name: string) => Object.entries(tags).find(([key]) => key.toLowerCase() === name)?.[1];
  const instance = tag("aws:rds:primarydbinstancearn");
  const cluster = tag("aws:rds:primarydbclusterarn");
  const arn = instance ?? cluster;
  if (arn === undefined) {
    throw new RotationError(
      "bad-secret",
      `The admin secret ${secretArn} has no host, and no tag of RDS that names its instance or cluster`,
      "This try changed nothing. Put host and port into the admin secret.",
    );
  }
  const found = instance === undefined ? await clusterEndpoint(arn, deadline) : await instanceEndpoint(arn, deadline);
  if (found.engine === undefined || found.host === undefined || found.port === undefined) {
    throw new RotationError(
      "bad-secret",
      `RDS knows no endpoint of ${arn}, which the admin secret ${secretArn} is for`,
      "This try changed nothing. Wait until the database is available, or put host and port into the admin secret.",
    );
  }
  if (!engines.includes(found.engine)) {
    throw new RotationError(
      "wrong-target",
      `The admin secret ${secretArn} is for a database of engine ${found.engine}`,
      `This try changed nothing. This function rotates ${engines.join(" and ")}.`,
    );
  }
  return { host: found.host, port: found.port };
}

async function instanceEndpoint(arn: string, deadline: Deadline) {
  const instance = await describeInstance(arn, deadline);
  return { engine: instance?.Engine, host: instance?.Endpoint?.Address, port: instance?.Endpoint?.Port };
}

async function clusterEndpoint(arn: string, deadline: Deadline) {
  const cluster = await describeCluster(arn, deadline);
  return { engine: cluster?.Engine, host: cluster?.Endpoint, port: cluster?.Port };
}

/** Whether one host is the instance, a read replica, a member or an endpoint of the other's database, as RDS says. */
export async function isSameDatabase(host: string, adminHost: string, deadline: Deadline): Promise<boolean> {
  const database = await databaseOf(host, deadline);
  return database !== undefined && database === (await databaseOf(adminHost, deadline));
}

/** The id of the cluster that a host belongs to, or of the instance that it is or replicates; undefined where RDS shows no such endpoint. */
async function databaseOf(host: string, deadline: Deadline): Promise<string | undefined> {
  const name = host.toLowerCase();
  const [identifier = "", second = ""] = name.split(".");
  if (second.startsWith("cluster-")) {
    const cluster = await describeCluster(identifier, deadline);
    const endpoints = [cluster?.Endpoint, cluster?.ReaderEndpoint];
    return endpoints.some((endpoint) => endpoint?.toLowerCase() === name)
      ? `cluster:${cluster?.DBClusterIdentifier}`
      : undefined;
  }
  const instance = await describeInstance(identifier, deadline);
  // The identifier alone proves nothing: the same one exists in other accounts and regions.
  if (instance?.Endpoint?.Address?.toLowerCase() !== name) return undefined;
  if (instance.DBClusterIdentifier !== undefined) return `cluster:${instance.DBClusterIdentifier}`;
  return `instance:${instance.ReadReplicaSourceDBInstanceIdentifier ?? instance.DBInstanceIdentifier}`;
}

const client = new RDSClient(apiClientOptions);

async function describeInstance(identifier: string, deadline: Deadline) {
  const output = await asking("DescribeDBInstances", deadline, (options) =>
    client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }), options),
  );
  return output?.DBInstances?.[0];
}

async function describeCluster(identifier: string, deadline: Deadline) {
  const output = await asking("DescribeDBClusters", deadline, (options) =>
    client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }), options),
  );
  return output?.DBClusters?.[0];
}

function asking<Output>(
  operation: string,
  deadline: Deadline,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output | undefined> {
  const advice = `This try changed nothing. Allow rds:${operation} in the function's role and let it reach the RDS API, or put host and port into the admin secret and list other hosts in ALLOWED_HOSTS.`;
  return askApi({ api: "RDS", operation, advice, notFound: /^DB(Instance|Cluster)NotFound/ }, deadline, send);
}
