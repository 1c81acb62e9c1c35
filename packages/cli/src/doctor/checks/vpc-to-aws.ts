import { type Check, type Finding, fail, notKnown, pass } from "../check.ts";
import type { Facts } from "../facts.ts";
import type { Network } from "../network.ts";
import { settingsOf } from "../rotation-function.ts";
import { wayOut } from "../routes.ts";
import { lets, rule } from "../security-groups.ts";
import { rotationFunction } from "./function.ts";

/** The function's way to Secrets Manager: without one each step ends in a timeout. */
export const vpcToAws: Check = {
  name: "VPC to AWS",
  needs: [rotationFunction],
  look(facts) {
    const { network } = facts;
    if (!network) return pass("the function is in no VPC, and needs no way of its own");
    if (network.is === "unseen") return notKnown(network.why);
    return throughEndpoint(network.it, facts) ?? throughSubnets(network.it, facts);
  },
};

const HTTPS = 443;

/** Undefined where there is no endpoint that the function would use. */
function throughEndpoint(network: Network, facts: Facts): Finding | undefined {
  const { rotationFunction: found, aws } = facts;
  const isNamed = found !== undefined && settingsOf(found).SECRETS_MANAGER_ENDPOINT !== undefined;
  const endpoint = network.endpoints.find(
    ({ State, PrivateDnsEnabled }) => State?.toLowerCase() === "available" && (PrivateDnsEnabled || isNamed),
  );
  if (!endpoint) return undefined;
  const id = endpoint.VpcEndpointId;
  const groups = network.endpointGroups.filter(({ GroupId }) =>
    endpoint.Groups?.some((each) => each.GroupId === GroupId),
  );
  const out = lets(network.functionGroups, "out", { groups }, HTTPS);
  if (out === false) return noWayOut(network, `to ${id}`, facts);
  const into = lets(groups, "in", functionIn(network), HTTPS);
  if (into === false) {
    return fail(
      `the security groups of ${id} do not let the function in on port ${HTTPS}`,
      `Let it in: ${aws("ec2", ...rule("in", groups[0]?.GroupId, HTTPS, network.functionGroups[0]?.GroupId ?? "NETWORK"))}`,
    );
  }
  return out && into
    ? pass(`through the endpoint ${id}`)
    : notKnown(`there is the endpoint ${id}, and rules of security groups whose addresses are not known here`);
}

function throughSubnets(network: Network, facts: Facts): Finding {
  const { subnets, routeTables } = network;
  const ways = subnets.map(({ SubnetId }) => ({ id: SubnetId, to: wayOut(SubnetId, routeTables) }));
  const without = ways.filter(({ to }) => to === undefined || to.startsWith("igw-")).map(({ id }) => id);
  if (without.length > 0) {
    const hasInternetGateway = ways.some(({ to }) => to?.startsWith("igw-"));
    return fail(
      `no endpoint of Secrets Manager, and no NAT gateway for ${without.join(", ")}${hasInternetGateway ? " (an internet gateway does not serve functions)" : ""}`,
      "Make an interface endpoint of Secrets Manager in the VPC, with private DNS: docs/locking-down.md#network.",
    );
  }
  const out = lets(network.functionGroups, "out", { networks: ["0.0.0.0/0"], groups: [] }, HTTPS);
  if (out === false) return noWayOut(network, "to anywhere", facts);
  const targets = [...new Set(ways.map(({ to }) => to))].join(", ");
  return out && ways.every(({ to }) => to?.startsWith("nat-"))
    ? pass(`through ${targets}`)
    : notKnown(`packets to the internet go to ${targets}, and what becomes of them there is not seen`);
}

const noWayOut = ({ functionGroups: [group] }: Network, where: string, { aws }: Facts): Finding =>
  fail(
    `the function's security groups let nothing out on port ${HTTPS} ${where}`,
    `Let it out: ${aws("ec2", ...rule("out", group?.GroupId, HTTPS, "0.0.0.0/0"))}`,
  );

/** The function as others' rules see it: it gets an address in any of its subnets. */
export const functionIn = ({ subnets, functionGroups }: Network) => ({
  networks: subnets.flatMap(({ CidrBlock }) => CidrBlock ?? []),
  groups: functionGroups,
});
