import { describe, expect, it } from "vitest";
import { promote, start, token } from "../test/endpoint.ts";

async function withTwoVersions() {
  const { local, sm } = await start();
  await sm.createSecret({ Name: "a", SecretString: "1", ClientRequestToken: token("1") });
  await sm.putSecretValue({
    SecretId: "a",
    SecretString: "2",
    ClientRequestToken: token("2"),
    VersionStages: ["AWSPENDING"],
  });
  const labels = async () => (await sm.describeSecret({ SecretId: "a" })).VersionIdsToStages ?? {};
  return { local, sm, labels };
}

describe("PutSecretValue", () => {
  it("without labels makes the version AWSCURRENT, and the one before AWSPREVIOUS", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a", SecretString: "1", ClientRequestToken: token("1") });
    for (const n of ["2", "3"]) {
      const put = await sm.putSecretValue({ SecretId: "a", SecretString: n, ClientRequestToken: token(n) });
      expect(put).toMatchObject({ VersionId: token(n), VersionStages: ["AWSCURRENT"] });
    }
    expect((await sm.describeSecret({ SecretId: "a" })).VersionIdsToStages).toEqual({
      [token("2")]: ["AWSPREVIOUS"],
      [token("3")]: ["AWSCURRENT"],
    });
  });

  it("always makes a secret's first version AWSCURRENT", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a" });
    const put = await sm.putSecretValue({ SecretId: "a", SecretString: "1", VersionStages: ["AWSPENDING"] });
    expect(put.VersionStages).toEqual(["AWSCURRENT", "AWSPENDING"]);
  });

  it("takes labels away from other versions, and leaves AWSCURRENT where it is if it is not asked for", async () => {
    const { sm } = await start();
    const put = (n: string, VersionStages: string[]) =>
      sm.putSecretValue({ SecretId: "a", SecretString: n, ClientRequestToken: token(n), VersionStages });
    await sm.createSecret({ Name: "a", SecretString: "1", ClientRequestToken: token("1") });
    await put("2", ["one", "two", "three"]);
    await put("3", ["one", "two", "four"]);
    expect((await sm.describeSecret({ SecretId: "a" })).VersionIdsToStages).toEqual({
      [token("1")]: ["AWSCURRENT"],
      [token("2")]: ["three"],
      [token("3")]: ["four", "one", "two"],
    });
  });

  it("is idempotent by its token, and refuses another value under the same token", async () => {
    const { sm, labels } = await withTwoVersions();
    const again = { SecretId: "a", SecretString: "2", ClientRequestToken: token("2") };
    expect(await sm.putSecretValue(again)).toMatchObject({ VersionStages: ["AWSPENDING"] });
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"], [token("2")]: ["AWSPENDING"] });
    for (const other of [{ SecretString: "other" }, { SecretString: undefined, SecretBinary: Buffer.from("2") }]) {
      await expect(sm.putSecretValue({ ...again, ...other })).rejects.toMatchObject({
        name: "ResourceExistsException",
        message: expect.stringContaining("already in use for a version of secret arn:"),
      });
    }
    expect(await sm.getSecretValue({ SecretId: "a", VersionId: token("2") })).toMatchObject({ SecretString: "2" });
  });

  it("with AWSCURRENT by hand removes AWSPENDING, also from the version that was current", async () => {
    const { sm, labels } = await withTwoVersions();
    await promote(sm, "a", token("2"));
    expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [token("2")]: ["AWSCURRENT", "AWSPENDING"] });
    await sm.putSecretValue({ SecretId: "a", SecretString: "3", ClientRequestToken: token("3") });
    expect(await labels()).toEqual({ [token("2")]: ["AWSPREVIOUS"], [token("3")]: ["AWSCURRENT"] });
  });

  it("keeps bytes as they are", async () => {
    const { sm } = await start();
    const SecretBinary = Uint8Array.from([0, 1, 2, 255, 254]);
    await sm.createSecret({ Name: "a", SecretBinary });
    const read = await sm.getSecretValue({ SecretId: "a" });
    expect(Uint8Array.from(read.SecretBinary ?? [])).toEqual(SecretBinary);
    expect(read).not.toHaveProperty("SecretString");
  });

  it("takes 65,536 bytes, and not one more", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a" });
    const put = (SecretString: string) => sm.putSecretValue({ SecretId: "a", SecretString });
    await put("é".repeat(32_768));
    await expect(put(`${"é".repeat(32_768)}x`)).rejects.toMatchObject({
      name: "ValidationException",
      message:
        "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
    });
    const SecretBinary = Buffer.alloc(65_537);
    await expect(sm.putSecretValue({ SecretId: "a", SecretBinary })).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  it("refuses a call without a value", async () => {
    const { sm } = await withTwoVersions();
    await expect(sm.putSecretValue({ SecretId: "a" })).rejects.toMatchObject({ name: "InvalidRequestException" });
  });
});

describe("GetSecretValue", () => {
  it("reads AWSCURRENT, a label, or a version", async () => {
    const { sm } = await withTwoVersions();
    expect(await sm.getSecretValue({ SecretId: "a" })).toMatchObject({
      SecretString: "1",
      VersionId: token("1"),
      VersionStages: ["AWSCURRENT"],
      CreatedDate: expect.any(Date),
    });
    const pending = { SecretString: "2", VersionId: token("2") };
    expect(await sm.getSecretValue({ SecretId: "a", VersionStage: "AWSPENDING" })).toMatchObject(pending);
    expect(await sm.getSecretValue({ SecretId: "a", VersionId: token("2") })).toMatchObject(pending);
    const both = { VersionId: token("2"), VersionStage: "AWSPENDING" };
    expect(await sm.getSecretValue({ SecretId: "a", ...both })).toMatchObject(pending);
  });

  it.each([
    [
      { VersionStage: "AWSPREVIOUS" },
      "ResourceNotFoundException",
      "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
    ],
    [
      { VersionId: token("9") },
      "ResourceNotFoundException",
      `Secrets Manager can't find the specified secret value for VersionId: ${token("9")}`,
    ],
    [
      { VersionId: token("1"), VersionStage: "AWSPENDING" },
      "InvalidRequestException",
      "You provided a VersionStage that is not associated to the provided VersionId.",
    ],
  ])("%j: %s", async (which, name, message) => {
    const { sm } = await withTwoVersions();
    await expect(sm.getSecretValue({ SecretId: "a", ...which })).rejects.toMatchObject({ name, message });
  });
});

describe("UpdateSecretVersionStage", () => {
  const current = { SecretId: "a", VersionStage: "AWSCURRENT" };

  it("moves AWSCURRENT, and AWSPREVIOUS with it; AWSPENDING stays on the promoted version", async () => {
    const { sm, labels } = await withTwoVersions();
    await sm.updateSecretVersionStage({
      ...current,
      MoveToVersionId: token("2"),
      RemoveFromVersionId: token("1"),
    });
    expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [token("2")]: ["AWSCURRENT", "AWSPENDING"] });
  });

  it.each([
    ["none", {}],
    ["the wrong one", { RemoveFromVersionId: token("2") }],
  ])("is a compare-and-swap: with %s as RemoveFromVersionId nothing moves", async (_which, from) => {
    const { sm, labels } = await withTwoVersions();
    await expect(
      sm.updateSecretVersionStage({ ...current, MoveToVersionId: token("2"), ...from }),
    ).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: `The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${token("1")}, so you must explicitly reference that version in RemoveFromVersionId.`,
    });
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT"], [token("2")]: ["AWSPENDING"] });
  });

  it("refuses to repeat a move that is done, and allows to name the holder", async () => {
    const { sm, labels } = await withTwoVersions();
    const move = { ...current, MoveToVersionId: token("2"), RemoveFromVersionId: token("1") };
    await sm.updateSecretVersionStage(move);
    await expect(sm.updateSecretVersionStage(move)).rejects.toMatchObject({ name: "InvalidParameterException" });
    await sm.updateSecretVersionStage({ ...current, MoveToVersionId: token("2") });
    expect(await labels()).toEqual({ [token("1")]: ["AWSPREVIOUS"], [token("2")]: ["AWSCURRENT", "AWSPENDING"] });
  });

  it("never removes AWSCURRENT completely", async () => {
    const { sm } = await withTwoVersions();
    await expect(sm.updateSecretVersionStage({ ...current, RemoveFromVersionId: token("1") })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message:
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
    });
  });

  it("adds and removes labels of one's own, and clears AWSPENDING", async () => {
    const { sm, labels } = await withTwoVersions();
    await sm.updateSecretVersionStage({ SecretId: "a", VersionStage: "mine", MoveToVersionId: token("1") });
    await sm.updateSecretVersionStage({
      SecretId: "a",
      VersionStage: "AWSPENDING",
      RemoveFromVersionId: token("2"),
    });
    expect(await labels()).toEqual({ [token("1")]: ["AWSCURRENT", "mine"] });
  });

  it.each([
    [{}, "InvalidParameterException"],
    [{ MoveToVersionId: token("9"), RemoveFromVersionId: token("1") }, "ResourceNotFoundException"],
    [{ MoveToVersionId: token("2"), RemoveFromVersionId: token("9") }, "ResourceNotFoundException"],
  ])("refuses %j: %s", async (versions, name) => {
    const { sm } = await withTwoVersions();
    await expect(sm.updateSecretVersionStage({ ...current, ...versions })).rejects.toMatchObject({ name });
  });

  it("refuses to remove a label that is nowhere", async () => {
    const { sm } = await withTwoVersions();
    const nowhere = { SecretId: "a", VersionStage: "mine", RemoveFromVersionId: token("1") };
    await expect(sm.updateSecretVersionStage(nowhere)).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  it("allows 20 labels in a secret", async () => {
    const { sm } = await withTwoVersions();
    const label = (n: number) =>
      sm.updateSecretVersionStage({ SecretId: "a", VersionStage: `own${n}`, MoveToVersionId: token("1") });
    for (let n = 0; n < 18; n += 1) await label(n);
    await expect(label(18)).rejects.toMatchObject({ name: "LimitExceededException" });
  });
});

describe("deprecated versions", () => {
  it("have no label, and are shown only on request", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a", SecretString: "1", ClientRequestToken: token("1") });
    for (const n of ["2", "3"]) {
      await sm.putSecretValue({ SecretId: "a", SecretString: n, ClientRequestToken: token(n) });
    }
    const { Versions: shown = [], ARN, Name } = await sm.listSecretVersionIds({ SecretId: "a" });
    expect({ ARN, Name }).toEqual({ ARN: expect.stringContaining("arn:"), Name: "a" });
    expect(shown.map(({ VersionId }) => VersionId)).toEqual([token("2"), token("3")]);
    const { Versions: all = [] } = await sm.listSecretVersionIds({ SecretId: "a", IncludeDeprecated: true });
    expect(all[0]).toEqual({
      VersionId: token("1"),
      CreatedDate: expect.any(Date),
      KmsKeyIds: ["DefaultEncryptionKey"],
    });
    expect(await sm.getSecretValue({ SecretId: "a", VersionId: token("1") })).toMatchObject({ SecretString: "1" });
  });

  it("are dropped beyond 100 versions, oldest first", async () => {
    const { sm } = await start();
    const { VersionId: first } = await sm.createSecret({ Name: "a", SecretString: "0" });
    for (let n = 1; n <= 100; n += 1) await sm.putSecretValue({ SecretId: "a", SecretString: String(n) });
    const { Versions = [] } = await sm.listSecretVersionIds({ SecretId: "a", IncludeDeprecated: true });
    expect(Versions).toHaveLength(100);
    expect(Versions.map(({ VersionId }) => VersionId)).not.toContain(first);
  });
});
