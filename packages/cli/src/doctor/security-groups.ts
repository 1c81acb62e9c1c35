import { BlockList, isIP } from "node:net";
import type { IpPermission, SecurityGroup } from "@aws-sdk/client-ec2";

/** What is at the other end of a connection. */
export interface Peer {
  /** Its addresses or networks, e.g. `10.0.0.5` or `10.0.0.0/24`; absent where they are not known. */
  readonly networks?: readonly string[];
  /** Absent where they are not known. */
  readonly groups?: readonly SecurityGroup[];
}

/**
 * Whether one of the groups' rules lets a TCP connection to a port through; undefined where rules may, and what they name is not known here.
 *
 * @param direction `out` to the peer, or `in` from it
 */
export function lets(
  groups: readonly SecurityGroup[],
  direction: "in" | "out",
  peer: Peer,
  port: number,
): boolean | undefined {
  const rules = groups
    .flatMap(({ IpPermissions = [], IpPermissionsEgress = [] }) =>
      direction === "in" ? IpPermissions : IpPermissionsEgress,
    )
    .filter((rule) => isOfPort(rule, port));
  const answers = rules.map((rule) => names(rule, peer));
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? undefined : false;
}

const isOfPort = ({ IpProtocol, FromPort = 0, ToPort = 65_535 }: IpPermission, port: number) =>
  IpProtocol === "-1" || ((IpProtocol === "tcp" || IpProtocol === "6") && FromPort <= port && port <= ToPort);

function names(rule: IpPermission, { networks, groups }: Peer): boolean | undefined {
  const { UserIdGroupPairs = [], IpRanges = [], Ipv6Ranges = [], PrefixListIds = [] } = rule;
  const ranges = [...IpRanges.map(({ CidrIp }) => CidrIp), ...Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6)].filter(
    (range) => range !== undefined,
  );
  const hasGroup = UserIdGroupPairs.some((pair) => groups?.some(({ GroupId }) => GroupId === pair.GroupId));
  const known = networks?.length ? networks : undefined;
  const hasAll = known?.every((network) => ranges.some((range) => contains(range, network)));
  if (hasGroup || hasAll || ranges.includes("0.0.0.0/0")) return true;
  const mayHaveGroup = groups === undefined && UserIdGroupPairs.length > 0;
  const mayHaveSome = known
    ? known.some((network) => ranges.some((range) => contains(network, range) || contains(range, network)))
    : ranges.length > 0;
  return PrefixListIds.length > 0 || mayHaveGroup || mayHaveSome ? undefined : false;
}

/** Whether a network has the whole of another, or an address. */
function contains(network: string, other: string): boolean {
  const [base = "", prefix] = network.split("/");
  const [otherBase = "", otherPrefix] = other.split("/");
  const type = isIP(base) === 6 ? "ipv6" : "ipv4";
  const all = type === "ipv6" ? 128 : 32;
  if (isIP(base) !== isIP(otherBase) || Number(otherPrefix ?? all) < Number(prefix ?? all)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(prefix ?? all), type);
  return list.check(otherBase, type);
}

/** The words of the AWS CLI's command that adds a rule, after `ec2`. @param peer a group's id, or a network */
export function rule(direction: "in" | "out", group: string | undefined, port: number, peer: string): string[] {
  const operation = `authorize-security-group-${direction === "in" ? "ingress" : "egress"}`;
  const to = peer.startsWith("sg-") ? ["--source-group", peer] : ["--cidr", peer];
  return [operation, "--group-id", group ?? "GROUP", "--protocol", "tcp", "--port", String(port), ...to];
}
