import { addressOf } from "@quarterturn/database";
import { type Check, fail, notKnown, notLookedAt, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { usesDataApi } from "../rotation-function.ts";
import { lets, rule } from "../security-groups.ts";
import { isPrivate } from "../server.ts";
import { rotationFunction } from "./function.ts";
import { secret } from "./secret.ts";
import { functionIn } from "./vpc-to-aws.ts";

/** The function's way to the database, as far as security groups decide it. Network ACLs and firewalls are not looked at. */
export const vpcToDatabase: Check = {
  name: "VPC to DB",
  moot: ({ rotationFunction }) =>
    usesDataApi(rotationFunction) ? "the Data API needs no way to the cluster" : undefined,
  needs: [secret, rotationFunction],
  look(facts) {
    const value = databaseOf(facts)?.value;
    const { network, server, rotationFunction: found } = facts;
    if (!value || !found) return notLookedAt("there is no database to reach");
    const where = addressOf(value);
    const addresses = Array.isArray(server?.addresses) ? server.addresses : [];
    if (!network) {
      return addresses.length > 0 && addresses.every(isPrivate)
        ? fail(
            `the function is in no VPC, and ${where} has a private address`,
            "Give the function subnets and a security group of the database's VPC: vpcSubnetIds, vpcSecurityGroupIds.",
          )
        : notKnown("the function is in no VPC: its address changes");
    }
    if (network.is === "unseen") return notKnown(network.why);
    const { functionGroups, databaseGroups, databaseInterfaces, vpcId } = network.it;
    const [functionGroup, databaseGroup] = [functionGroups[0]?.GroupId, databaseGroups[0]?.GroupId];
    const inside = databaseInterfaces.filter(({ VpcId }) => VpcId === vpcId);
    // A name may mean another address in the VPC than it does here.
    const peer = { networks: inside.flatMap(({ PrivateIpAddress }) => PrivateIpAddress ?? []), groups: databaseGroups };
    const out = lets(functionGroups, "out", inside.length > 0 ? peer : {}, value.port);
    if (out === false) {
      return fail(
        `the function's security groups let nothing out to ${where}`,
        `Let it out: ${facts.aws("ec2", ...rule("out", functionGroup, value.port, databaseGroup ?? "NETWORK"))}`,
      );
    }
    if (inside.length === 0) return notKnown(`no network interface of ${vpcId} is seen to be ${where}`);
    const into = lets(databaseGroups, "in", functionIn(network.it), value.port);
    if (into === false) {
      return fail(
        `the security groups of ${where} do not let the function in`,
        `Let it in: ${facts.aws("ec2", ...rule("in", databaseGroup, value.port, functionGroup ?? "NETWORK"))}`,
      );
    }
    return out && into
      ? pass("security groups let the function through")
      : notKnown("security groups have rules whose addresses are not known here");
  },
};
