import { describe, expect, it } from "vitest";
import { start } from "../test/endpoint.ts";

const policy = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });

const ONE_ACCOUNT = policy({
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::111111111111:root" },
  Action: "secretsmanager:GetSecretValue",
  Resource: "*",
});
const EVERYBODY = policy({ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" });
const EVERYBODY_IN_AWS = policy({ Effect: "Allow", Principal: { AWS: ["*"] }, Action: "*", Resource: "*" });
const EVERYBODY_IN_AN_ORGANIZATION = policy({
  Effect: "Allow",
  Principal: "*",
  Action: "*",
  Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } },
});
const NOBODY = policy({ Effect: "Deny", Principal: "*", Action: "*", Resource: "*" });

const MALFORMED = [
  "{",
  "null",
  "[]",
  "{}",
  "[".repeat(20_000),
  policy({}),
  policy({ Effect: "Allow", Action: "*" }),
  policy({ Effect: "Perhaps", Principal: "*", Action: "*" }),
];

describe("a resource policy", () => {
  it("is stored as it was written, shown, and deleted", async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a" });
    expect(await sm.getResourcePolicy({ SecretId: "a" })).not.toHaveProperty("ResourcePolicy");
    await sm.putResourcePolicy({ SecretId: "a", ResourcePolicy: EVERYBODY });
    expect(await sm.getResourcePolicy({ SecretId: "a" })).toMatchObject({ Name: "a", ResourcePolicy: EVERYBODY });
    await sm.deleteResourcePolicy({ SecretId: "a" });
    expect(await sm.getResourcePolicy({ SecretId: "a" })).not.toHaveProperty("ResourcePolicy");
  });

  it.each([
    ["one account", ONE_ACCOUNT, true],
    ["everybody", EVERYBODY, false],
    ["everybody in AWS", EVERYBODY_IN_AWS, false],
    ["everybody in an organization", EVERYBODY_IN_AN_ORGANIZATION, true],
    ["a denial for everybody", NOBODY, true],
  ])("for %s passes BlockPublicPolicy and validation or not", async (_who, ResourcePolicy, passes) => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a" });
    const { PolicyValidationPassed, ValidationErrors } = await sm.validateResourcePolicy({ ResourcePolicy });
    expect(PolicyValidationPassed).toBe(passes);
    expect(ValidationErrors).toHaveLength(passes ? 0 : 1);
    const put = sm.putResourcePolicy({ SecretId: "a", ResourcePolicy, BlockPublicPolicy: true });
    if (passes) await put;
    else await expect(put).rejects.toMatchObject({ name: "PublicPolicyException" });
  });

  it.each(MALFORMED)("%.40s is malformed", async (ResourcePolicy) => {
    const { sm } = await start();
    await sm.createSecret({ Name: "a" });
    await expect(sm.putResourcePolicy({ SecretId: "a", ResourcePolicy })).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
      message: "This resource policy contains a syntax error.",
    });
    expect(await sm.validateResourcePolicy({ ResourcePolicy })).toMatchObject({ PolicyValidationPassed: false });
  });
});
