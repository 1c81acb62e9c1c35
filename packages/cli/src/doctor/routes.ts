import type { Route, RouteTable } from "@aws-sdk/client-ec2";

/** Where a subnet's packets go that do not stay in its VPC. */
export interface WayOut {
  /** The id of the target of those to the internet, e.g. `nat-0a1b`, `igw-0a1b`; undefined where there is none. */
  readonly internet?: string;
  /** Those of other networks, and of IPv6: another VPC's endpoint or a way to the internet may be behind each. */
  readonly others: readonly string[];
}

/** @see https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html */
export function wayOut(subnetId: string | undefined, tables: readonly RouteTable[]): WayOut {
  const own = tables.find(({ Associations = [] }) => Associations.some(({ SubnetId }) => SubnetId === subnetId));
  const main = tables.find(({ Associations = [] }) => Associations.some(({ Main }) => Main));
  const routes = ((own ?? main)?.Routes ?? []).filter(({ State }) => State !== "blackhole");
  const toInternet = routes.find(({ DestinationCidrBlock }) => DestinationCidrBlock === "0.0.0.0/0");
  const internet = toInternet && targetOf(toInternet);
  const others = routes
    .filter((route) => route !== toInternet)
    .flatMap((route) => targetOf(route) ?? [])
    .filter((target) => leadsOn(target));
  return { ...(internet !== undefined && { internet }), others: [...new Set(others)] };
}

/** Not to the VPC itself, to a gateway endpoint of S3 or DynamoDB, or to an internet gateway, which serves no function over IPv4. */
const leadsOn = (target: string) => target !== "local" && !target.startsWith("vpce-") && !target.startsWith("igw-");

const targetOf = (route: Route): string | undefined =>
  route.NatGatewayId ??
  route.GatewayId ??
  route.TransitGatewayId ??
  route.NetworkInterfaceId ??
  route.VpcPeeringConnectionId ??
  route.LocalGatewayId ??
  route.CarrierGatewayId ??
  route.EgressOnlyInternetGatewayId ??
  route.CoreNetworkArn;
