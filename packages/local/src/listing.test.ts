import type { ListSecretsCommandInput, SecretsManager } from "@aws-sdk/client-secrets-manager";
import { describe, expect, it } from "vitest";
import { start } from "../test/endpoint.ts";

async function withSecrets(): Promise<SecretsManager> {
  let minute = 0;
  const { sm } = await start({ now: () => new Date(Date.UTC(2026, 0, 1, 0, minute)) });
  const create = async (Name: string, Description: string, tags: Record<string, string>) => {
    minute += 1;
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await sm.createSecret({ Name, SecretString: `value of ${Name}`, Description, Tags });
  };
  await create("prod/orders", "Orders database", { team: "shop", env: "prod" });
  await create("prod/users", "Users database", { team: "accounts", env: "prod" });
  await create("dev/orders", "a sandbox", { team: "shop", Env: "dev" });
  return sm;
}

const names = async (sm: SecretsManager, input: ListSecretsCommandInput) =>
  (await sm.listSecrets(input)).SecretList?.map(({ Name }) => Name);

describe("ListSecrets", () => {
  it.each([
    [[{ Key: "name", Values: ["prod/"] }], ["prod/orders", "prod/users"]],
    [[{ Key: "name", Values: ["Prod/"] }], []],
    [[{ Key: "name", Values: ["!prod/"] }], ["dev/orders"]],
    [[{ Key: "name", Values: ["prod/u", "dev"] }], ["prod/users", "dev/orders"]],
    [[{ Key: "description", Values: ["ORDERS"] }], ["prod/orders"]],
    [[{ Key: "description", Values: ["database"] }], []],
    [[{ Key: "tag-key", Values: ["Env"] }], ["dev/orders"]],
    [[{ Key: "tag-value", Values: ["shop"] }], ["prod/orders", "dev/orders"]],
    [[{ Key: "all", Values: ["orders PROD"] }], ["prod/orders"]],
    [[{ Key: "owning-service", Values: ["rds"] }], []],
    [[{ Key: "primary-region", Values: ["us"] }], []],
    [
      [
        { Key: "tag-value", Values: ["shop"] },
        { Key: "name", Values: ["dev"] },
      ],
      ["dev/orders"],
    ],
  ] satisfies [ListSecretsCommandInput["Filters"], string[]][])("filters by %j", async (Filters, expected) => {
    expect(await names(await withSecrets(), { Filters })).toEqual(expected);
  });

  it.each([
    [{}, ["prod/orders", "prod/users", "dev/orders"]],
    [{ SortOrder: "desc" }, ["dev/orders", "prod/users", "prod/orders"]],
    [{ SortBy: "name" }, ["dev/orders", "prod/orders", "prod/users"]],
    [{ SortBy: "name", SortOrder: "desc" }, ["prod/users", "prod/orders", "dev/orders"]],
  ] satisfies [ListSecretsCommandInput, string[]][])("sorts by %j", async (input, expected) => {
    expect(await names(await withSecrets(), input)).toEqual(expected);
  });

  it("pages without repeating or skipping, also when a secret goes in between", async () => {
    const sm = await withSecrets();
    const first = await sm.listSecrets({ MaxResults: 1 });
    expect(first.SecretList?.map(({ Name }) => Name)).toEqual(["prod/orders"]);
    await sm.deleteSecret({ SecretId: "prod/orders" });
    const second = await sm.listSecrets({ MaxResults: 1, NextToken: first.NextToken });
    expect(second.SecretList?.map(({ Name }) => Name)).toEqual(["prod/users"]);
    const last = await sm.listSecrets({ MaxResults: 1, NextToken: second.NextToken });
    expect(last.SecretList?.map(({ Name }) => Name)).toEqual(["dev/orders"]);
    expect(last).not.toHaveProperty("NextToken");
  });

  it("shows no value, and a secret that is marked for deletion only on request", async () => {
    const sm = await withSecrets();
    await sm.deleteSecret({ SecretId: "dev/orders" });
    expect(await names(sm, {})).toEqual(["prod/orders", "prod/users"]);
    const { SecretList } = await sm.listSecrets({ IncludePlannedDeletion: true });
    expect(SecretList).toHaveLength(3);
    expect(SecretList?.[2]).toMatchObject({ DeletedDate: expect.any(Date), SecretVersionsToStages: expect.anything() });
    expect(JSON.stringify(SecretList)).not.toContain("value of");
  });

  it.each(["x", "W10", "eyJhIjoxfQ"])("refuses the token %s, which it never gave", async (NextToken) => {
    const sm = await withSecrets();
    await expect(sm.listSecrets({ NextToken })).rejects.toMatchObject({ name: "InvalidNextTokenException" });
  });
});

describe("ListSecretVersionIds", () => {
  it("pages", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a", SecretString: "1" });
    for (const n of ["2", "3"]) await sm.putSecretValue({ SecretId: "a", SecretString: n });
    const request = { SecretId: "a", IncludeDeprecated: true, MaxResults: 2 };
    const first = await sm.listSecretVersionIds(request);
    const second = await sm.listSecretVersionIds({ ...request, NextToken: first.NextToken });
    const ids = [...(first.Versions ?? []), ...(second.Versions ?? [])].map(({ VersionId }) => VersionId);
    expect(new Set(ids).size).toBe(3);
    expect(second).not.toHaveProperty("NextToken");
  });
});

describe("BatchGetSecretValue", () => {
  it("answers with the values it found, and an error for each that it did not", async () => {
    const sm = await withSecrets();
    const { SecretValues, Errors } = await sm.batchGetSecretValue({ SecretIdList: ["prod/users", "none"] });
    expect(SecretValues).toMatchObject([{ Name: "prod/users", SecretString: "value of prod/users" }]);
    expect(Errors).toEqual([
      {
        SecretId: "none",
        ErrorCode: "ResourceNotFoundException",
        Message: "Secrets Manager can't find the specified secret.",
      },
    ]);
  });

  it("takes filters, with pages", async () => {
    const sm = await withSecrets();
    const request = { Filters: [{ Key: "name" as const, Values: ["prod/"] }], MaxResults: 1 };
    const first = await sm.batchGetSecretValue(request);
    const second = await sm.batchGetSecretValue({ ...request, NextToken: first.NextToken });
    const found = [...(first.SecretValues ?? []), ...(second.SecretValues ?? [])];
    expect(found.map(({ Name }) => Name)).toEqual(["prod/orders", "prod/users"]);
    expect(second).not.toHaveProperty("NextToken");
  });

  it.each([{}, { SecretIdList: ["a"], Filters: [{ Key: "all" as const, Values: ["a"] }] }])(
    "refuses %j: one of a list and filters",
    async (input) => {
      const { sm } = await start();
      await expect(sm.batchGetSecretValue(input)).rejects.toMatchObject({ name: "InvalidParameterException" });
    },
  );
});
