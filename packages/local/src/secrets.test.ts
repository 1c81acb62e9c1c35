import { describe, expect, it } from "vitest";
import { course, plusFunction, start, token } from "../test/endpoint.ts";

const refusal = (name: string, message: string | RegExp) => ({
  name,
  message: typeof message === "string" ? message : expect.stringMatching(message),
});

const NOT_FOUND = refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
const MARKED = refusal(
  "InvalidRequestException",
  "You can't perform this operation on the secret because it was marked for deletion.",
);

describe("CreateSecret", () => {
  it("makes the first version AWSCURRENT, and DescribeSecret shows only what was set", async () => {
    const { sm } = await start();
    const created = await sm.createSecret({ Name: "prod/db", SecretString: "s" });
    expect(created.ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:prod\/db-[A-Za-z0-9]{6}$/);
    const { $metadata, ...shown } = await sm.describeSecret({ SecretId: "prod/db" });
    expect(shown).toEqual({
      ARN: created.ARN,
      Name: "prod/db",
      CreatedDate: expect.any(Date),
      LastChangedDate: expect.any(Date),
      VersionIdsToStages: { [created.VersionId ?? ""]: ["AWSCURRENT"] },
    });
  });

  it("makes no version without a value", async () => {
    const { sm } = await start();
    expect(await sm.createSecret({ Name: "empty" })).not.toHaveProperty("VersionId");
    expect(await sm.describeSecret({ SecretId: "empty" })).not.toHaveProperty("VersionIdsToStages");
    await expect(sm.getSecretValue({ SecretId: "empty" })).rejects.toMatchObject(
      refusal(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      ),
    );
  });

  it("can be retried with the same token, and with another answers that the secret exists", async () => {
    const { sm } = await start();
    const request = { Name: "a", SecretString: "s", ClientRequestToken: token("a") };
    const first = await sm.createSecret(request);
    expect(await sm.createSecret(request)).toMatchObject({ ARN: first.ARN, VersionId: token("a") });
    await expect(sm.createSecret({ Name: "a", SecretString: "s" })).rejects.toMatchObject(
      refusal("ResourceExistsException", "The operation failed because the secret a already exists."),
    );
    await expect(sm.createSecret({ ...request, SecretString: "other" })).rejects.toMatchObject(
      refusal("ResourceExistsException", /You can't use ClientRequestToken a{36}/),
    );
  });

  it.each(["Inv Name", " lead", "a*b?", "a\\b"])("refuses the name %j", async (Name) => {
    const { sm } = await start();
    await expect(sm.createSecret({ Name })).rejects.toMatchObject(
      refusal(
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
      ),
    );
  });

  it("refuses a string and a binary value at once", async () => {
    const { sm } = await start();
    const both = { SecretString: "s", SecretBinary: Buffer.from("b") };
    await expect(sm.createSecret({ Name: "a", ...both })).rejects.toMatchObject(
      refusal("InvalidParameterException", /both a binary secret value and a string/),
    );
  });
});

describe("finding a secret", () => {
  it("goes by name, ARN, and ARN without the random suffix", async () => {
    const { sm } = await start();
    const { ARN = "" } = await sm.createSecret({ Name: "a/b", SecretString: "s" });
    for (const SecretId of ["a/b", ARN, ARN.slice(0, -7)]) {
      expect(await sm.getSecretValue({ SecretId })).toMatchObject({ ARN, SecretString: "s" });
    }
    await expect(sm.getSecretValue({ SecretId: "a" })).rejects.toMatchObject(NOT_FOUND);
    await expect(sm.describeSecret({ SecretId: "__proto__" })).rejects.toMatchObject(NOT_FOUND);
  });
});

describe("UpdateSecret", () => {
  it("makes a new current version if it is given a value, and otherwise changes the description only", async () => {
    const { sm } = await start();
    const { VersionId: first = "" } = await sm.createSecret({ Name: "a", SecretString: "1" });
    expect(await sm.updateSecret({ SecretId: "a", Description: "d", KmsKeyId: "k" })).not.toHaveProperty("VersionId");
    const { VersionId: second = "" } = await sm.updateSecret({ SecretId: "a", SecretString: "2" });
    expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({
      Description: "d",
      KmsKeyId: "k",
      VersionIdsToStages: { [first]: ["AWSPREVIOUS"], [second]: ["AWSCURRENT"] },
    });
  });
});

describe("DeleteSecret", () => {
  it("keeps the secret for the recovery window, in which it can only be described, listed, restored, or forced", async () => {
    let clock = new Date("2026-01-01T00:00:00Z");
    const { sm } = await start({ now: () => clock });
    await sm.createSecret({ Name: "a", SecretString: "s" });
    const { DeletionDate } = await sm.deleteSecret({ SecretId: "a", RecoveryWindowInDays: 7 });
    expect(DeletionDate).toEqual(new Date("2026-01-08T00:00:00Z"));
    const id = { SecretId: "a" };
    await expect(sm.getSecretValue(id)).rejects.toMatchObject(MARKED);
    await expect(sm.putSecretValue({ ...id, SecretString: "x" })).rejects.toMatchObject(MARKED);
    await expect(sm.updateSecret({ ...id, Description: "x" })).rejects.toMatchObject(MARKED);
    await expect(sm.rotateSecret(id)).rejects.toMatchObject(MARKED);
    await expect(sm.tagResource({ ...id, Tags: [{ Key: "k", Value: "v" }] })).rejects.toMatchObject(MARKED);
    await expect(sm.untagResource({ ...id, TagKeys: ["k"] })).rejects.toMatchObject(MARKED);
    await expect(sm.deleteSecret(id)).rejects.toMatchObject(MARKED);
    await expect(sm.createSecret({ Name: "a" })).rejects.toMatchObject(
      refusal(
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      ),
    );
    expect(await sm.describeSecret(id)).toMatchObject({ DeletedDate: DeletionDate });
    expect((await sm.listSecretVersionIds(id)).Versions).toHaveLength(1);
    await sm.restoreSecret(id);
    expect(await sm.getSecretValue(id)).toMatchObject({ SecretString: "s" });
    expect(await sm.describeSecret(id)).not.toHaveProperty("DeletedDate");
    await sm.deleteSecret(id);
    clock = new Date("2026-01-30T23:59:59Z");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await sm.describeSecret(id)).toMatchObject({ DeletedDate: new Date("2026-01-31T00:00:00Z") });
    clock = new Date("2026-01-31T00:00:00Z");
    await expect.poll(() => sm.describeSecret(id).catch(({ name }: Error) => name)).toBe("ResourceNotFoundException");
  });

  it("forgets it at once when forced, and succeeds when there is none", async () => {
    const { sm } = await start();
    const { ARN } = await sm.createSecret({ Name: "a", SecretString: "s" });
    await sm.deleteSecret({ SecretId: "a" });
    expect(await sm.deleteSecret({ SecretId: "a", ForceDeleteWithoutRecovery: true })).toMatchObject({ ARN });
    await expect(sm.describeSecret({ SecretId: "a" })).rejects.toMatchObject(NOT_FOUND);
    expect(await sm.deleteSecret({ SecretId: "a", ForceDeleteWithoutRecovery: true })).toMatchObject({ Name: "a" });
    expect((await sm.createSecret({ Name: "a" })).ARN).not.toBe(ARN);
    await expect(sm.deleteSecret({ SecretId: "b" })).rejects.toMatchObject(NOT_FOUND);
  });

  it.each([6, 31, 0, -1])("refuses a recovery window of %i days", async (RecoveryWindowInDays) => {
    const { sm } = await start();
    await expect(sm.deleteSecret({ SecretId: "a", RecoveryWindowInDays })).rejects.toMatchObject(
      refusal("InvalidParameterException", /between 7 and 30 days/),
    );
  });

  it("refuses a window together with force", async () => {
    const { sm } = await start();
    const both = { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true };
    await expect(sm.deleteSecret({ SecretId: "a", ...both })).rejects.toMatchObject(
      refusal("InvalidParameterException", /ForceDeleteWithoutRecovery/),
    );
  });

  it("ends a rotation that was being retried", async () => {
    const failing = async () => {
      throw new Error("down");
    };
    const { local, sm } = await start({ functions: { f: failing }, rotationRetry: { attempts: 99, delayMs: 60_000 } });
    await sm.createSecret({ Name: "a", SecretString: "s" });
    await sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f" });
    await expect.poll(() => course(local.events)).toContain("RotationFailed");
    await sm.deleteSecret({ SecretId: "a" });
    await local.settled();
    expect(course(local.events)).toEqual(["RotationStarted", "createSecret failed", "RotationFailed"]);
  });
});

describe("tags", () => {
  it("are added, replaced and removed, and stay as an empty list", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a", Tags: [{ Key: "x", Value: "1" }] });
    const tag = (Key: string, Value: string) => ({ Key, Value });
    await sm.tagResource({ SecretId: "a", Tags: [tag("x", "2"), tag("y", "3")] });
    expect((await sm.describeSecret({ SecretId: "a" })).Tags).toEqual([tag("x", "2"), tag("y", "3")]);
    await sm.untagResource({ SecretId: "a", TagKeys: ["x", "unknown"] });
    expect((await sm.describeSecret({ SecretId: "a" })).Tags).toEqual([tag("y", "3")]);
    await sm.untagResource({ SecretId: "a", TagKeys: ["y"] });
    expect((await sm.describeSecret({ SecretId: "a" })).Tags).toEqual([]);
  });

  it("are 50 at most, and aws: is not for users", async () => {
    const { sm } = await start();
    const tags = Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: "" }));
    await expect(sm.createSecret({ Name: "a", Tags: tags })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await expect(sm.createSecret({ Name: "a", Tags: [{ Key: "aws:x", Value: "" }] })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await expect(sm.describeSecret({ SecretId: "a" })).rejects.toMatchObject(NOT_FOUND);
  });
});

it("shows the day of the last reading, and not its time", async () => {
  const { sm } = await start({ now: () => new Date("2026-03-04T17:18:19Z") });
  await sm.createSecret({ Name: "a", SecretString: "s" });
  expect(await sm.describeSecret({ SecretId: "a" })).not.toHaveProperty("LastAccessedDate");
  await sm.getSecretValue({ SecretId: "a" });
  const LastAccessedDate = new Date("2026-03-04T00:00:00Z");
  expect(await sm.describeSecret({ SecretId: "a" })).toMatchObject({ LastAccessedDate });
  expect((await sm.listSecretVersionIds({ SecretId: "a" })).Versions).toMatchObject([{ LastAccessedDate }]);
});

it("knows nothing of rotation in a secret that never had one", async () => {
  const { sm } = await start({ functions: { f: plusFunction(() => sm) } });
  await sm.createSecret({ Name: "a", SecretString: "s" });
  const shown = await sm.describeSecret({ SecretId: "a" });
  for (const member of ["RotationEnabled", "RotationLambdaARN", "RotationRules", "NextRotationDate"]) {
    expect(shown).not.toHaveProperty(member);
  }
});
