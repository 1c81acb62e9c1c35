import { expect, test } from "vitest";
import { placeOf } from "./place.ts";

const arnOf = (region: string, account = "123456789012") =>
  `arn:aws:secretsmanager:${region}:${account}:secret:prod/warehouse-AbCdEf`;

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
    expect(placeOf(host, region, arnOf(region))).toEqual(place));
}

for (const [host, what] of [
  ["warehouse.example.com", "no endpoint"],
  ["localhost", "no endpoint"],
  ["10.0.0.7", "no endpoint"],
  ["redshift.amazonaws.com", "no endpoint"],
  ["c.eu-west-1.redshift.amazonaws.com", "no endpoint"],
  ["c.abc123.eu-west-1.redshift.amazonaws.com.attacker.example", "no endpoint"],
  ["attacker.example/c.abc123.eu-west-1.redshift.amazonaws.com", "no endpoint"],
  ["db.abc123.eu-west-1.rds.amazonaws.com", "no endpoint"],
  ["c.abc123.us-west-2.redshift.amazonaws.com", "another Region's"],
  ["c.abc123.eu-west-1.redshift.amazonaws.com.cn", "another partition's"],
  ["default.123456789012.us-west-2.redshift-serverless.amazonaws.com", "another Region's"],
  ["default.210987654321.eu-west-1.redshift-serverless.amazonaws.com", "another account's"],
] as const) {
  test(`${host} is ${what}: it is refused, with what to do`, () => {
    expect(() => placeOf(host, "eu-west-1", arnOf("eu-west-1"))).toThrow(
      expect.objectContaining({ code: "bad-secret", message: expect.stringContaining(host) }),
    );
  });
}
