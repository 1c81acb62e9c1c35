import type { RouteTable } from "@aws-sdk/client-ec2";

/**
 * Where a subnet's packets to the internet go: the id of the target, e.g. `nat-0a1b`, `igw-0a1b`; undefined where nowhere.
 *
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
 */
export function wayOut(subnetId: string | undefined, tables: readonly RouteTable[]): string | undefined {
  const own = tables.find(({ Associations = [] }) => Associations.some(({ SubnetId }) => SubnetId === subnetId));
  const main = tables.find(({ Associations = [] }) => Associations.some(({ Main }) => Main));
  const route = (own ?? main)?.Routes?.find(
    ({ DestinationCidrBlock, State }) => DestinationCidrBlock === "0.0.0.0/0" && State !== "blackhole",
  );
  return (
    route?.NatGatewayId ??
    route?.GatewayId ??
    route?.TransitGatewayId ??
    route?.NetworkInterfaceId ??
    route?.VpcPeeringConnectionId ??
    route?.LocalGatewayId ??
    route?.CoreNetworkArn
  );
}
