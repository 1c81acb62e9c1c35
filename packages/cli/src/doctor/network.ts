import {
  EC2Client,
  type NetworkInterface,
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
import { read, type Seen, seen, type Unseen } from "./seen.ts";
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
  readonly functionGroups: readonly SecurityGroup[];
  /** Interface endpoints of Secrets Manager. */
  readonly endpoints: readonly VpcEndpoint[];
  readonly endpointGroups: readonly SecurityGroup[];
  /** The network interfaces that have the database's addresses; none where they are not this account's, or not of this Region. */
  readonly databaseInterfaces: readonly NetworkInterface[];
  readonly databaseGroups: readonly SecurityGroup[];
}

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
    paginate: (config: { client: EC2Client }, input: { Filters: ReturnType<typeof filter>[] }) => AsyncIterable<Page>,
    itemsOf: (page: Page) => Item[] | undefined,
    ...Filters: ReturnType<typeof filter>[]
  ): Promise<Item[]> => {
    if (Filters.some(({ Values }) => Values.length === 0)) return [];
    const found = await read(context, `ec2:${operation}`, secretId, async () => {
      const items: Item[] = [];
      for await (const page of paginate({ client: ec2 }, { Filters })) items.push(...(itemsOf(page) ?? []));
      return items;
    });
    if (found.is === "unseen") throw found;
    return found.it ?? [];
  };
  const groups = (ids: readonly (string | undefined)[]) =>
    list(
      "DescribeSecurityGroups",
      paginateDescribeSecurityGroups,
      (page) => page.SecurityGroups,
      filter("group-id", ids),
    );
  const interfaces = (name: string, of: readonly string[]) =>
    list(
      "DescribeNetworkInterfaces",
      paginateDescribeNetworkInterfaces,
      (page) => page.NetworkInterfaces,
      filter(name, of),
    );

  try {
    const subnets = await list(
      "DescribeSubnets",
      paginateDescribeSubnets,
      (page) => page.Subnets,
      filter("subnet-id", SubnetIds),
    );
    const routeTables = await list(
      "DescribeRouteTables",
      paginateDescribeRouteTables,
      (page) => page.RouteTables,
      filter("vpc-id", [vpcId]),
    );
    const endpoints = await list(
      "DescribeVpcEndpoints",
      paginateDescribeVpcEndpoints,
      (page) => page.VpcEndpoints,
      filter("vpc-id", [vpcId]),
      filter("service-name", [`*.${region}.secretsmanager`]),
    );
    const databaseInterfaces = [
      ...(await interfaces("addresses.private-ip-address", addresses.filter(isPrivate))),
      ...(await interfaces(
        "addresses.association.public-ip",
        addresses.filter((each) => !isPrivate(each)),
      )),
    ];
    return seen({
      vpcId,
      subnets,
      routeTables,
      endpoints,
      databaseInterfaces,
      functionGroups: await groups(SecurityGroupIds),
      endpointGroups: await groups(endpoints.flatMap(({ Groups = [] }) => Groups.map(({ GroupId }) => GroupId))),
      databaseGroups: await groups(
        databaseInterfaces.flatMap(({ Groups = [] }) => Groups.map(({ GroupId }) => GroupId)),
      ),
    });
  } catch (error) {
    if (isUnseen(error)) return error;
    throw error;
  } finally {
    ec2.destroy();
  }
}

const isUnseen = (thrown: unknown): thrown is Unseen => (thrown as { is?: unknown }).is === "unseen";
