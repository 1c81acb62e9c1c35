import { describe, expect, it } from "vitest";
import { start } from "../test/endpoint.ts";

const EU = { Region: "eu-west-1", KmsKeyId: "alias/eu" };
const inSync = { ...EU, Status: "InSync" };

describe("replication", () => {
  it("is stored and InSync at once, shown by DescribeSecret, and ended by Region", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a", SecretString: "s" });
    const replicated = await sm.replicateSecretToRegions({ SecretId: "a", AddReplicaRegions: [EU] });
    expect(replicated.ReplicationStatus).toEqual([inSync]);
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({
      PrimaryRegion: "us-east-1",
      ReplicationStatus: [inSync],
    });
    await expect(sm.deleteSecret({ SecretId: "a" })).rejects.toMatchObject({ name: "InvalidRequestException" });
    await sm.removeRegionsFromReplication({ SecretId: "a", RemoveReplicaRegions: ["eu-west-1"] });
    expect(await sm.describeSecret({ SecretId: "a" })).not.toHaveProperty("ReplicationStatus");
    await sm.deleteSecret({ SecretId: "a" });
  });

  it("can begin with the secret", async () => {
    const { sm } = await start();
    const created = await sm.createSecret({ Name: "a", AddReplicaRegions: [EU] });
    expect(created.ReplicationStatus).toEqual([inSync]);
  });

  it("can be made to lag or fail by a test", async () => {
    const { local, sm } = await start();
    await sm.createSecret({ Name: "a", AddReplicaRegions: [EU] });
    for (const status of ["InProgress", "Failed", "InSync"] as const) {
      local.setReplicaStatus("a", "eu-west-1", status);
      expect((await sm.describeSecret({ SecretId: "a" })).ReplicationStatus).toMatchObject([{ Status: status }]);
    }
    expect(() => local.setReplicaStatus("a", "eu-west-2", "Failed")).toThrow("no replica in eu-west-2");
  });

  it.each([
    ["the secret's own Region", [{ Region: "us-east-1" }]],
    ["a Region that has it", [EU]],
    ["a Region twice", [{ Region: "us-west-2" }, { Region: "us-west-2" }]],
  ])("refuses %s, and changes nothing", async (_which, AddReplicaRegions) => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a", AddReplicaRegions: [EU] });
    await expect(sm.replicateSecretToRegions({ SecretId: "a", AddReplicaRegions })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    expect((await sm.describeSecret({ SecretId: "a" })).ReplicationStatus).toEqual([inSync]);
  });

  it("refuses what only a replica can do, and a Region that is none", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a" });
    await expect(sm.stopReplicationToReplica({ SecretId: "a" })).rejects.toMatchObject({
      name: "InvalidRequestException",
    });
    await expect(
      sm.removeRegionsFromReplication({ SecretId: "a", RemoveReplicaRegions: ["eu-west-1"] }),
    ).rejects.toMatchObject({ name: "InvalidParameterException" });
  });
});
