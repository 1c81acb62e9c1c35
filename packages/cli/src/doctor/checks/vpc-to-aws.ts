import { type Check, type Finding, fail, notKnown, pass } from "../check.ts";
import { isOpen } from "../endpoint-policy.ts";
import type { Facts } from "../facts.ts";
import { type NeededService, neededServices } from "../needed-services.ts";
import type { Network } from "../network.ts";
import { settingsOf } from "../rotation-function.ts";
import { wayOut } from "../routes.ts";
import { lets, rule } from "../security-groups.ts";
import { rotationFunction } from "./function.ts";

/** The function's way to Secrets Manager, and to what else it calls: without one each step ends in a timeout. */
export const vpcToAws: Check = {
  name: "VPC to AWS",
  needs: [rotationFunction],
  look(facts) {
    const { network } = facts;
    if (!network) return pass("the function is in no VPC, and needs no way of its own");
    if (network.is === "unseen") return notKnown(network.why);
    const found = neededServices(facts).map((service) => wayTo(service, network.it, facts));
    const worst = found.find(({ is }) => is === "fail") ?? found.find(({ is }) => is === "not known");
    return worst ?? pass([...new Set(found.map(({ what }) => what))].join(", "));
  },
};

const HTTPS = 443;

function wayTo({ name, isCertain }: NeededService, network: Network, facts: Facts): Finding {
  const found = throughEndpoint(name, network, facts) ?? throughSubnets(name, network, facts);
  return found.is === "fail" && !isCertain
    ? notKnown(`if the function calls ${name}: ${found.what}`, found.fix)
    : found;
}

/** Undefined where there is no endpoint that the function would use. */
function throughEndpoint(service: string, network: Network, facts: Facts): Finding | undefined {
  const { rotationFunction: found, aws } = facts;
  const isNamed =
    service === "secretsmanager" && found !== undefined && settingsOf(found).SECRETS_MANAGER_ENDPOINT !== undefined;
  const endpoint = network.endpoints.find(
    ({ ServiceName, State, PrivateDnsEnabled }) =>
      ServiceName?.endsWith(`.${service}`) && State?.toLowerCase() === "available" && (PrivateDnsEnabled || isNamed),
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
  if (!out || !into)
    return notKnown(`there is the endpoint ${id}, and rules of security groups whose addresses are not known here`);
  return isOpen(endpoint.PolicyDocument)
    ? pass(`through the endpoint ${id}`)
    : notKnown(
        `there is the endpoint ${id}, and what its policy lets through is not judged here`,
        "See that it lets the function's role through: docs/locking-down.md#network.",
      );
}

function throughSubnets(service: string, network: Network, facts: Facts): Finding {
  const { subnets, routeTables } = network;
  const ways = subnets.map(({ SubnetId }) => ({ id: SubnetId, ...wayOut(SubnetId, routeTables) }));
  const without = ways.filter(({ internet }) => internet === undefined || internet.startsWith("igw-"));
  const lost = without.filter(({ others }) => others.length === 0).map(({ id }) => id);
  const title = service === "secretsmanager" ? "Secrets Manager" : service;
  const none = `no endpoint of ${title}, and no NAT gateway for`;
  if (lost.length > 0) {
    const hasInternetGateway = ways.some(({ internet }) => internet?.startsWith("igw-"));
    return fail(
      `${none} ${lost.join(", ")}${hasInternetGateway ? " (an internet gateway does not serve functions)" : ""}`,
      `Make an interface endpoint of ${title} in the VPC, with private DNS: docs/locking-down.md#network.`,
    );
  }
  const out = lets(network.functionGroups, "out", { networks: ["0.0.0.0/0"], groups: [] }, HTTPS);
  if (without.length > 0) {
    const others = new Set(without.flatMap((way) => way.others));
    return notKnown(
      `${none} ${without.map(({ id }) => id).join(", ")}, and whether there is one behind ${[...others].join(", ")} is not seen`,
    );
  }
  if (out === false) return noWayOut(network, "to anywhere", facts);
  const targets = [...new Set(ways.flatMap(({ internet }) => internet ?? []))];
  return out && targets.every((target) => isPublicNat(target, network))
    ? pass(`through ${targets.join(", ")}`)
    : notKnown(`packets to the internet go to ${targets.join(", ")}, and what becomes of them there is not seen`);
}

/** A private NAT gateway leads to other networks only. */
const isPublicNat = (target: string, { natGateways }: Network): boolean =>
  natGateways.some(
    ({ NatGatewayId, ConnectivityType, State }) =>
      NatGatewayId === target && ConnectivityType !== "private" && State === "available",
  );

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
