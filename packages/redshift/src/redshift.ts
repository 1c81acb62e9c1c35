/**
 * What only the APIs of Redshift can say. Loaded when it is needed, and bundled as a file of its own, since its clients are as large as
 * everything else together.
 */
import { DescribeClustersCommand, RedshiftClient } from "@aws-sdk/client-redshift";
import {
  paginateListNamespaces,
  paginateListWorkgroups,
  RedshiftServerlessClient,
} from "@aws-sdk/client-redshift-serverless";
import { apiClientOptions, askApi, type Deadline, RotationError } from "@quarterturn/core";

/**
 * The server that a managed admin secret is for: Redshift tags the secret with the ARN of the cluster's or the serverless namespace.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-secrets-manager-integration.html
 * @throws RotationError `bad-secret` where the tags name none, `privilege`, `timeout` or `service`
 */
export async function managedServer(
  secretArn: string,
  tags: Readonly<Record<string, string>>,
  deadline: Deadline,
): Promise<{ host: string; port: number }> {
  const tag = (name: string) => Object.entries(tags).find(([key]) => key.toLowerCase() === name)?.[1];
  const cluster = tag("aws:redshift:primaryclusterarn");
  const namespace = tag("aws:redshift-serverless:namespacearn");
  const arn = cluster ?? namespace;
  if (arn === undefined) {
    throw new RotationError(
      "bad-secret",
      `The admin secret ${secretArn} has no host, and no tag of Redshift that names its cluster or namespace`,
      "This try changed nothing. Put host and port into the admin secret.",
    );
  }
  const found = cluster === undefined ? await workgroupOf(arn, deadline) : await clusterOf(arn, deadline);
  if (found.host !== undefined && found.port !== undefined) return { host: found.host, port: found.port };
  throw new RotationError(
    "bad-secret",
    `Redshift knows no endpoint of ${arn}, which the admin secret ${secretArn} is for`,
    "This try changed nothing. Wait until the cluster or workgroup is available, or put host and port into the admin secret.",
  );
}

/** @param arn `arn:aws:redshift:REGION:ACCOUNT:cluster:NAME` */
async function clusterOf(arn: string, deadline: Deadline) {
  const name = arn.split(":").at(-1);
  const output = await asking("redshift:DescribeClusters", deadline, (send) =>
    new RedshiftClient({ ...apiClientOptions, region: regionOf(arn) }).send(
      new DescribeClustersCommand({ ClusterIdentifier: name }),
      send,
    ),
  );
  const endpoint = output?.Clusters?.[0]?.Endpoint;
  return { host: endpoint?.Address, port: endpoint?.Port };
}

/** A namespace has no endpoint: its workgroup has, and names it. */
async function workgroupOf(arn: string, deadline: Deadline) {
  const client = new RedshiftServerlessClient({ ...apiClientOptions, region: regionOf(arn) });
  const namespaces = await asking("redshift-serverless:ListNamespaces", deadline, (send) =>
    all(paginateListNamespaces({ client }, {}, send), (page) => page.namespaces),
  );
  const name = namespaces?.find(({ namespaceArn }) => namespaceArn === arn)?.namespaceName;
  const workgroups = await asking("redshift-serverless:ListWorkgroups", deadline, (send) =>
    all(paginateListWorkgroups({ client }, {}, send), (page) => page.workgroups),
  );
  const workgroup = workgroups?.find(({ namespaceName }) => name !== undefined && namespaceName === name);
  return { host: workgroup?.endpoint?.address, port: workgroup?.endpoint?.port };
}

/** A secret can be replicated into another Region, where another cluster may have the name. */
const regionOf = (arn: string) => arn.split(":")[3] ?? "";

async function all<Page, Item>(
  pages: AsyncIterable<Page>,
  itemsOf: (page: Page) => readonly Item[] | undefined,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...(itemsOf(page) ?? []));
  return items;
}

function asking<Output>(
  action: string,
  deadline: Deadline,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output | undefined> {
  const advice = `This try changed nothing. Allow ${action} in the function's role and let it reach the API, or put host and port into the admin secret.`;
  return askApi({ api: "Redshift", operation: action, advice, notFound: /^ClusterNotFound/ }, deadline, send);
}
