/** What the checks of `doctor` say of facts about a VPC. */
import { describe, expect, test } from "vitest";
import { type Check, examine } from "../src/doctor/check.ts";
import { vpcToAws } from "../src/doctor/checks/vpc-to-aws.ts";
import { vpcToDatabase } from "../src/doctor/checks/vpc-to-database.ts";
import { checks } from "../src/doctor/checks.ts";
import type { Network } from "../src/doctor/network.ts";
import { seen } from "../src/doctor/seen.ts";
import { products } from "../src/engines.ts";
import { database, factsWith, functionWith, say, unseen } from "./doctor-facts.ts";

describe("VPC", () => {
  const anything = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
  const tcpFrom = (port: number, peer: object) => ({ ...peer, IpProtocol: "tcp", FromPort: port, ToPort: port });
  const group = (GroupId: string, into: object[] = [], out: object[] = []) => ({
    GroupId,
    IpPermissions: into,
    IpPermissionsEgress: out,
  });
  const endpoint = {
    VpcEndpointId: "vpce-1",
    ServiceName: "com.amazonaws.eu-central-1.secretsmanager",
    State: "available",
    PrivateDnsEnabled: true,
    Groups: [{ GroupId: "sg-e" }],
  };
  const table = (subnet: string | undefined, route: object | undefined) => ({
    Associations: [subnet === undefined ? { Main: true } : { SubnetId: subnet }],
    Routes: route ? [{ DestinationCidrBlock: "0.0.0.0/0", ...route }] : [],
  });
  const network: Network = {
    vpcId: "vpc-1",
    subnets: [
      { SubnetId: "subnet-a", CidrBlock: "10.0.1.0/24" },
      { SubnetId: "subnet-b", CidrBlock: "10.0.2.0/24" },
    ],
    routeTables: [table(undefined, undefined)],
    natGateways: [{ NatGatewayId: "nat-1", State: "available", ConnectivityType: "public" }],
    functionGroups: [group("sg-f", [], [anything])],
    endpoints: [],
    endpointGroups: [],
    databaseInterfaces: [{ VpcId: "vpc-1", PrivateIpAddress: "10.0.9.5" }],
    databaseGroups: [group("sg-d", [tcpFrom(5432, { UserIdGroupPairs: [{ GroupId: "sg-f" }] })])],
  };
  const at = (check: Check, changes: object, others: object = {}) =>
    say(check, { network: seen({ ...network, ...changes }), ...others });

  test.each<[string, object, string]>([
    [
      "neither",
      {},
      "fail | no endpoint of Secrets Manager, and no NAT gateway for subnet-a, subnet-b | Make an interface",
    ],
    ["NAT", { routeTables: [table(undefined, { NatGatewayId: "nat-1" })] }, "pass | through nat-1"],
    [
      "NAT for one of two subnets",
      { routeTables: [table(undefined, undefined), table("subnet-a", { NatGatewayId: "nat-1" })] },
      "fail | no endpoint of Secrets Manager, and no NAT gateway for subnet-b |",
    ],
    [
      "an internet gateway",
      { routeTables: [table(undefined, { GatewayId: "igw-1" })] },
      "fail | no endpoint of Secrets Manager, and no NAT gateway for subnet-a, subnet-b (an internet gateway does not serve functions)",
    ],
    [
      "a route that leads nowhere",
      { routeTables: [table(undefined, { NatGatewayId: "nat-1", State: "blackhole" })] },
      "fail | no endpoint",
    ],
    [
      "a private NAT gateway",
      {
        routeTables: [table(undefined, { NatGatewayId: "nat-1" })],
        natGateways: [{ NatGatewayId: "nat-1", State: "available", ConnectivityType: "private" }],
      },
      "not known | packets to the internet go to nat-1, and what",
    ],
    [
      "a transit gateway to other networks, where a central endpoint may be",
      { routeTables: [table(undefined, { DestinationCidrBlock: "10.0.0.0/8", TransitGatewayId: "tgw-1" })] },
      "not known | no endpoint of Secrets Manager, and no NAT gateway for subnet-a, subnet-b, and whether there is one behind tgw-1",
    ],
    [
      "another VPC beside an internet gateway",
      {
        routeTables: [
          {
            Associations: [{ Main: true }],
            Routes: [
              { DestinationCidrBlock: "0.0.0.0/0", GatewayId: "igw-1" },
              { DestinationCidrBlock: "10.9.0.0/16", VpcPeeringConnectionId: "pcx-1" },
            ],
          },
        ],
      },
      "not known | no endpoint of Secrets Manager, and no NAT gateway for subnet-a, subnet-b, and whether there is one behind pcx-1",
    ],
    [
      "IPv6",
      {
        routeTables: [
          {
            Associations: [{ Main: true }],
            Routes: [{ DestinationIpv6CidrBlock: "::/0", EgressOnlyInternetGatewayId: "eigw-1" }],
          },
        ],
      },
      "not known | no endpoint of Secrets Manager",
    ],
    [
      "the VPC itself, and gateway endpoints",
      {
        routeTables: [
          {
            Associations: [{ Main: true }],
            Routes: [
              { DestinationCidrBlock: "10.0.0.0/16", GatewayId: "local" },
              { DestinationPrefixListId: "pl-1", GatewayId: "vpce-s3" },
            ],
          },
        ],
      },
      "fail | no endpoint of Secrets Manager",
    ],
    [
      "a transit gateway",
      { routeTables: [table(undefined, { TransitGatewayId: "tgw-1" })] },
      "not known | packets to the internet go to tgw-1",
    ],
    [
      "NAT, and nothing may go out",
      {
        routeTables: [table(undefined, { NatGatewayId: "nat-1" })],
        functionGroups: [group("sg-f", [], [tcpFrom(5432, anything)])],
      },
      "fail | the function's security groups let nothing out on port 443 to anywhere | Let it out: aws ec2 authorize-security-group-egress --group-id sg-f --protocol tcp --port 443 --cidr 0.0.0.0/0",
    ],
    [
      "an endpoint",
      {
        endpoints: [endpoint],
        endpointGroups: [group("sg-e", [tcpFrom(443, { IpRanges: [{ CidrIp: "10.0.0.0/16" }] })])],
      },
      "pass | through the endpoint vpce-1",
    ],
    [
      "an endpoint that lets only one subnet in",
      {
        endpoints: [endpoint],
        endpointGroups: [group("sg-e", [tcpFrom(443, { IpRanges: [{ CidrIp: "10.0.0.0/23" }] })])],
      },
      "not known | there is the endpoint vpce-1, and rules",
    ],
    [
      "an endpoint that lets parts of the subnets in",
      {
        endpoints: [endpoint],
        endpointGroups: [
          group("sg-e", [tcpFrom(443, { IpRanges: [{ CidrIp: "10.0.1.0/28" }, { CidrIp: "10.0.2.0/28" }] })]),
        ],
      },
      "not known | there is the endpoint vpce-1, and rules",
    ],
    [
      "an endpoint that lets nobody in",
      {
        endpoints: [endpoint],
        endpointGroups: [group("sg-e", [tcpFrom(443, { IpRanges: [{ CidrIp: "10.7.0.0/16" }] })])],
      },
      "fail | the security groups of vpce-1 do not let the function in on port 443 | Let it in: aws ec2 authorize-security-group-ingress --group-id sg-e --protocol tcp --port 443 --source-group sg-f",
    ],
    [
      "an endpoint to which nothing may go",
      { endpoints: [endpoint], functionGroups: [group("sg-f")] },
      "fail | the function's security groups let nothing out on port 443 to vpce-1",
    ],
    [
      "an endpoint without private DNS",
      { endpoints: [{ ...endpoint, PrivateDnsEnabled: false }] },
      "fail | no endpoint",
    ],
    ["an endpoint that is not ready", { endpoints: [{ ...endpoint, State: "pending" }] }, "fail | no endpoint"],
  ])("to Secrets Manager: %s", (_, changes, said) => expect(at(vpcToAws, changes)).toContain(said));

  const openGroups = { endpointGroups: [group("sg-e", [anything])] };

  test.each([
    [undefined, "pass"],
    ['{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}', "pass"],
    ['{"Statement":{"Action":["*"],"Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*"}}', "pass"],
    ['{"Statement":[{"Action":"secretsmanager:*","Effect":"Allow","Principal":"*","Resource":"*"}]}', "not known"],
    ['{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*","Condition":{}}]}', "not known"],
    [
      '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"},{"Action":"*","Effect":"Deny","Principal":"*","Resource":"*"}]}',
      "not known",
    ],
  ])("an endpoint's policy %s: %s", (PolicyDocument, is) => {
    const changes = { endpoints: [{ ...endpoint, PolicyDocument }], ...openGroups };
    expect(at(vpcToAws, changes)).toMatch(new RegExp(`^${is} \\| `));
  });

  test("what else the function calls needs a way, too", () => {
    const to = (service: string) => ({
      ...endpoint,
      VpcEndpointId: `vpce-${service}`,
      ServiceName: `com.amazonaws.eu-central-1.${service}`,
    });
    const asking = (asksForServers: unknown) => ({ strategy: "multi-user", admin: { asksForServers } });
    const one = { endpoints: [endpoint], ...openGroups };
    expect(at(vpcToAws, one, asking(false))).toBe("pass | through the endpoint vpce-1");
    expect(at(vpcToAws, one, asking(true))).toMatch(
      /^fail \| no endpoint of rds, .* \| Make an interface endpoint of rds/,
    );
    expect(at(vpcToAws, one, asking("not known"))).toMatch(
      /^not known \| if the function calls rds: no endpoint of rds/,
    );
    const two = { ...one, endpoints: [endpoint, to("rds")] };
    expect(at(vpcToAws, two, asking(true))).toBe("pass | through the endpoint vpce-1, through the endpoint vpce-rds");
    const nat = { ...one, routeTables: [table(undefined, { NatGatewayId: "nat-1" })] };
    expect(at(vpcToAws, nat, asking(true))).toBe("pass | through the endpoint vpce-1, through nat-1");

    const redshift = products.find(({ manifest }) => manifest.name === "redshift");
    const value = database(redshift && { product: redshift });
    expect(at(vpcToAws, one, { ...asking(true), value })).toMatch(/^not known \| if the function calls redshift/);
    const rotationFunction = functionWith({ Environment: { Variables: { REDSHIFT_TRANSPORT: "data-api" } } });
    expect(at(vpcToAws, one, { value, rotationFunction })).toMatch(/^fail \| no endpoint of redshift-data/);
    const both = { ...one, endpoints: [endpoint, to("redshift-data")] };
    expect(at(vpcToAws, both, { value, rotationFunction })).toMatch(/^pass /);
  });

  test("an endpoint without private DNS serves a function that names it; and outside of a VPC there is nothing to look at", () => {
    const named = functionWith({ Environment: { Variables: { SECRETS_MANAGER_ENDPOINT: "https://vpce-1" } } });
    const open = {
      endpoints: [{ ...endpoint, PrivateDnsEnabled: false }],
      endpointGroups: [group("sg-e", [anything])],
    };
    expect(at(vpcToAws, open, { rotationFunction: named })).toBe("pass | through the endpoint vpce-1");
    expect(say(vpcToAws, {})).toMatch(/^pass \| the function is in no VPC/);
    expect(say(vpcToAws, { network: unseen })).toBe("not known | you may not");
  });

  test.each<[string, object, string]>([
    ["both sides let it", {}, "pass | security groups let the function through"],
    [
      "nothing may go out",
      { functionGroups: [group("sg-f", [], [tcpFrom(443, anything)])] },
      "fail | the function's security groups let nothing out to db.example:5432 | Let it out: aws ec2 authorize-security-group-egress --group-id sg-f --protocol tcp --port 5432 --source-group sg-d",
    ],
    [
      "the database lets others in",
      { databaseGroups: [group("sg-d", [tcpFrom(5432, { UserIdGroupPairs: [{ GroupId: "sg-x" }] })])] },
      "fail | the security groups of db.example:5432 do not let the function in | Let it in: aws ec2 authorize-security-group-ingress --group-id sg-d --protocol tcp --port 5432 --source-group sg-f",
    ],
    [
      "the database lets it in at another port",
      { databaseGroups: [group("sg-d", [tcpFrom(3306, anything)])] },
      "fail | the security groups of",
    ],
    [
      "the database lets the address in",
      { databaseGroups: [group("sg-d", [tcpFrom(5432, { IpRanges: [{ CidrIp: "10.0.0.0/22" }] })])] },
      "pass",
    ],
    [
      "the function's networks are not known",
      {
        subnets: [{ SubnetId: "subnet-a" }],
        databaseGroups: [group("sg-d", [tcpFrom(5432, { IpRanges: [{ CidrIp: "10.0.0.0/22" }] })])],
      },
      "not known | security groups have rules whose addresses",
    ],
    [
      "by the protocol's number",
      { databaseGroups: [group("sg-d", [{ ...tcpFrom(5432, anything), IpProtocol: "6" }])] },
      "pass | security groups let the function through",
    ],
    [
      "by another protocol",
      { databaseGroups: [group("sg-d", [{ ...tcpFrom(5432, anything), IpProtocol: "17" }])] },
      "fail | the security groups of",
    ],
    [
      "by a list of prefixes",
      { databaseGroups: [group("sg-d", [tcpFrom(5432, { PrefixListIds: [{}] })])] },
      "not known | security groups have rules whose addresses",
    ],
    [
      "out to the address alone",
      { functionGroups: [group("sg-f", [], [tcpFrom(5432, { IpRanges: [{ CidrIp: "10.0.9.5/32" }] })])] },
      "pass",
    ],
    [
      "out to another address",
      { functionGroups: [group("sg-f", [], [tcpFrom(5432, { IpRanges: [{ CidrIp: "10.0.9.6/32" }] })])] },
      "fail | the function's security groups let nothing out",
    ],
    [
      "the interface is another VPC's",
      { databaseInterfaces: [{ VpcId: "vpc-2", PrivateIpAddress: "10.0.9.5" }] },
      "not known | no network interface of vpc-1 is seen to be db.example:5432",
    ],
    [
      "an address that is not known, out by a group",
      {
        databaseInterfaces: [],
        functionGroups: [group("sg-f", [], [tcpFrom(5432, { UserIdGroupPairs: [{ GroupId: "sg-x" }] })])],
      },
      "not known | no network interface",
    ],
    [
      "an address that is not known, and nothing may go out",
      { databaseInterfaces: [], functionGroups: [group("sg-f")] },
      "fail | the function's security groups let nothing out",
    ],
  ])("to the database: %s", (_, changes, said) => expect(at(vpcToDatabase, changes)).toContain(said));

  test("a function in no VPC does not get to a private address", () => {
    expect(say(vpcToDatabase, { server: { addresses: ["10.0.9.5"] } })).toMatch(
      /^fail \| the function is in no VPC, and db.example:5432 has a private/,
    );
    expect(say(vpcToDatabase, { server: { addresses: ["10.0.9.5", "93.184.216.34"] } })).toMatch(
      /^not known \| the function is in no VPC/,
    );
    expect(say(vpcToDatabase, { server: { addresses: "ENOTFOUND" } })).toMatch(
      /^not known \| the function is in no VPC/,
    );
  });

  test("the Data API needs none", () => {
    const rotationFunction = functionWith({ Environment: { Variables: { REDSHIFT_TRANSPORT: "data-api" } } });
    const found = examine(checks, factsWith({ rotationFunction })).find(({ check }) => check === "VPC to DB");
    expect(found).toMatchObject({ is: "not looked at", what: "the Data API needs no way to the cluster" });
  });
});
