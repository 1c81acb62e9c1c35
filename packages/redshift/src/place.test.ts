import { expect, test } from "vitest";
import { placeOf } from "./place.ts";

for (const [host, place] of [
  ["examplecluster.abc123xyz789.us-west-2.redshift.amazonaws.com", { ClusterIdentifier: "examplecluster" }],
  ["My-Cluster.ABC123.eu-west-1.redshift.amazonaws.com", { ClusterIdentifier: "my-cluster" }],
  ["c.abc123.us-gov-west-1.redshift.amazonaws.com.", { ClusterIdentifier: "c" }],
  ["c.abc123.cn-north-1.redshift.amazonaws.com.cn", { ClusterIdentifier: "c" }],
  ["default.123456789012.eu-west-1.redshift-serverless.amazonaws.com", { WorkgroupName: "default" }],
  ["wg-1.123456789012.cn-north-1.redshift-serverless.amazonaws.com.cn", { WorkgroupName: "wg-1" }],
] as const) {
  test(`${host} is the endpoint of ${Object.values(place)[0]}`, () => expect(placeOf(host)).toEqual(place));
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
]) {
  test(`${host} is refused, with what to do`, () => {
    expect(() => placeOf(host)).toThrow(
      expect.objectContaining({ code: "bad-secret", message: expect.stringContaining(host) }),
    );
  });
}
