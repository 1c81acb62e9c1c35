import {
  EC2Client,
  type Filter,
  type NatGateway,
  type NetworkInterface,
  paginateDescribeNatGateways,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVpcEndpoints,
  type RouteTable,
  type SecurityGroup,
  type Subnet,
  type VpcEndpoint,
} from "@aws-sdk/client-ec2";
import type { Context } from "../context.ts";
import { read, type Seen, seen } from "./seen.ts";
import { isPrivate } from "./server.ts";

/** Where a function is, as Lambda says it. */
export interface VpcConfig {
  readonly VpcId?: string | undefined;
  readonly SubnetIds?: string[] | undefined;
  readonly SecurityGroupIds?: string[] | undefined;
}

/** The VPC that a function is in, as far as it matters to it. */
export interface Network {
  readonly vpcId: string;
  readonly subnets: readonly Subnet[];
  readonly routeTables: readonly RouteTable[];
  /** The VPC's own. */
  readonly natGateways: readonly NatGateway[];
  readonly functionGroups: readonly SecurityGroup[];
  /** Interface endpoints of the services that a function may call. */
  readonly endpoints: readonly VpcEndpoint[];
  readonly endpointGroups: readonly SecurityGroup[];
  /** The network interfaces that have the database's addresses; none where they are not this account's, or not of this Region. */
  readonly databaseInterfaces: readonly NetworkInterface[];
  readonly databaseGroups: readonly SecurityGroup[];
}

/** What a rotation function may call, as endpoints are named. */
const services = ["secretsmanager", "rds", "redshift", "redshift-serverless", "redshift-data"];

/** @param addresses the database's */
export async function readNetwork(
  context: Context,
  secretId: string,
  { VpcId: vpcId = "", SubnetIds = [], SecurityGroupIds = [] }: VpcConfig,
  region: string,
  addresses: readonly string[],
): Promise<Seen<Network>> {
  const ec2 = new EC2Client(context.clientOptions);
  const filter = (Name: string, Values: readonly (string | undefined)[]) => ({
    Name,
    Values: [...new Set(Values.filter((value) => value !== undefined))],
  });
  /** All pages of one list, where there is something to ask for. */
  const list = async <Page, Item>(
    operation: string,
    paginate: (
      config: { client: EC2Client },
      input: { Filters: Filter[] },
      options: { abortSignal: AbortSignal },
    ) => AsyncIterable<Page>,
    itemsOf: (page: Page) => Item[] | undefined,
    ...Filters: ReturnType<typeof filter>[]
  ): Promise<Seen<Item[]>> => {
    if (Filters.some(({ Values }) => Values.length === 0)) return seen([]);
    const found = await read(context, `ec2:${operation}`, secretId, async (options) => {
      const items: Item[] = [];
      for await (const page of paginate({ client: ec2 }, { Filters }, options)) items.push(...(itemsOf(page) ?? []));
      return items;
    });
    return found.is === "unseen" ? found : seen(found.it ?? []);
  };
  const groups = (ids: readonly (string | undefined)[]) =>
    list(
      "DescribeSecurityGroups",
      paginateDescribeSecurityGroups,
      (page) => page.SecurityGroups,
      filter("group-id", ids),
    );
  const groupsOf = (
    things: readonly { readonly Groups?: readonly { readonly GroupId?: string | undefined }[] | undefined }[],
  ) => groups(things.flatMap(({ Groups = [] }) => Groups.map(({ GroupId }) => GroupId)));
  const interfaces = (name: string, of: readonly string[]) =>
    list(
      "DescribeNetworkInterfaces",
      paginateDescribeNetworkInterfaces,
      (page) => page.NetworkInterfaces,
      filter(name, of),
    );

  try {
    const inVpc = filter("vpc-id", [vpcId]);
    const subnets = await list(
      "DescribeSubnets",
      paginateDescribeSubnets,
      (page) => page.Subnets,
      filter("subnet-id", SubnetIds),
    );
    if (subnets.is === "unseen") return subnets;
    const routeTables = await list(
      "DescribeRouteTables",
      paginateDescribeRouteTables,
      (page) => page.RouteTables,
      inVpc,
    );
    if (routeTables.is === "unseen") return routeTables;
    const natGateways = await list(
      "DescribeNatGateways",
      (config, { Filters }, options) => paginateDescribeNatGateways(config, { Filter: Filters }, options),
      (page) => page.NatGateways,
      inVpc,
    );
    if (natGateways.is === "unseen") return natGateways;
    const endpoints = await list(
      "DescribeVpcEndpoints",
      paginateDescribeVpcEndpoints,
      (page) => page.VpcEndpoints,
      inVpc,
      filter(
        "service-name",
        services.map((service) => `*.${region}.${service}`),
      ),
    );
    if (endpoints.is === "unseen") return endpoints;
    const byPrivate = await interfaces("addresses.private-ip-address", addresses.filter(isPrivate));
    if (byPrivate.is === "unseen") return byPrivate;
    const byPublic = await interfaces(
      "addresses.association.public-ip",
      addresses.filter((each) => !isPrivate(each)),
    );
    if (byPublic.is === "unseen") return byPublic;
    const databaseInterfaces = [...byPrivate.it, ...byPublic.it];
    const functionGroups = await groups(SecurityGroupIds);
    if (functionGroups.is === "unseen") return functionGroups;
    const endpointGroups = await groupsOf(endpoints.it);
    if (endpointGroups.is === "unseen") return endpointGroups;
    const databaseGroups = await groupsOf(databaseInterfaces);
    if (databaseGroups.is === "unseen") return databaseGroups;
    return seen({
      vpcId,
      subnets: subnets.it,
      routeTables: routeTables.it,
      natGateways: natGateways.it,
      functionGroups: functionGroups.it,
      endpoints: endpoints.it,
      endpointGroups: endpointGroups.it,
      databaseInterfaces,
      databaseGroups: databaseGroups.it,
    });
  } finally {
    ec2.destroy();
  }
}
