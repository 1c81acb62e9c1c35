import { expect, test } from "vitest";
import { placeOf } from "./place.ts";

const secretIn = (region: string) => `arn:aws:secretsmanager:${region}:123456789012:secret:app-AbCdEf`;

for (const [host, region, place] of [
  [
    "examplecluster.abc123xyz789.us-west-2.redshift.amazonaws.com",
    "us-west-2",
    { ClusterIdentifier: "examplecluster" },
  ],
  ["My-Cluster.ABC123.eu-west-1.redshift.amazonaws.com", "eu-west-1", { ClusterIdentifier: "my-cluster" }],
  ["c.abc123.us-gov-west-1.redshift.amazonaws.com.", "us-gov-west-1", { ClusterIdentifier: "c" }],
  ["c.abc123.cn-north-1.redshift.amazonaws.com.cn", "cn-north-1", { ClusterIdentifier: "c" }],
  ["default.123456789012.eu-west-1.redshift-serverless.amazonaws.com", "eu-west-1", { WorkgroupName: "default" }],
  ["wg-1.123456789012.cn-north-1.redshift-serverless.amazonaws.com.cn", "cn-north-1", { WorkgroupName: "wg-1" }],
] as const) {
  test(`${host} is the endpoint of ${Object.values(place)[0]}`, () =>
    expect(placeOf(host, secretIn(region))).toEqual(place));
}

for (const host of [
  "warehouse.example.com",
  "localhost",
  "10.0.0.7",
  "redshift.amazonaws.com",
  "c.eu-west-1.redshift.amazonaws.com",
  "c.abc123.eu-west-1.redshift.amazonaws.com.attacker.example",
  "attacker.example/c.abc123.eu-west-1.redshift.amazonaws.com",
  "db.abc123.eu-west-1.rds.amazonaws.com",
  // Those of other Regions and accounts: here there may be others of the name.
  "c.abc123.us-west-2.redshift.amazonaws.com",
  "default.123456789012.us-west-2.redshift-serverless.amazonaws.com",
  "default.210987654321.eu-west-1.redshift-serverless.amazonaws.com",
]) {
  test(`${host} is refused, with what to do`, () => {
    expect(() => placeOf(host, secretIn("eu-west-1"))).toThrow(
      expect.objectContaining({ code: "bad-secret", message: expect.stringContaining(host) }),
    );
  });
}
