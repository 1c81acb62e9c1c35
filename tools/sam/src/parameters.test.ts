import { expect, test } from "vitest";
import { applications } from "./applications.ts";
import { parametersOf } from "./parameters.ts";
import { roleStatements } from "./role.ts";

const arn = (service: string, rest: string, partition = "aws") =>
  `arn:${partition}:${service}:eu-west-1:123456789012:${rest}`;
const key = arn("kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab");
const secret = arn("secretsmanager", "secret:prod/db/admin-AbCdEf");

const keys = {
  right: ["", key, key.replace("key/", "key/mrk-"), arn("kms", "key/1234", "aws-us-gov")],
  wrong: ["alias/mine", arn("kms", "alias/mine"), "1234abcd-12ab-34cd-56ef-1234567890ab", `${key} `],
};
const secrets = {
  right: ["", secret, arn("secretsmanager", "secret:rds!db-1234-AbCdEf", "aws-cn")],
  // Without the six characters that Secrets Manager adds it is no resource of a policy.
  wrong: ["prod/db/admin", key, secret.replace(/-\w{6}$/, "")],
};

/** What a user gives: as AWS's guide and tools have it, and mistakes that shall be noticed before anything is made. */
const given: Readonly<Record<string, { readonly right: readonly string[]; readonly wrong: readonly string[] }>> = {
  functionName: {
    right: ["MySecretsManagerRotationFunction", "SecretsManagerrds-postgres_1"],
    wrong: ["", "two words", "a".repeat(65), arn("lambda", "function:rotation")],
  },
  endpoint: {
    right: [
      "",
      "https://secretsmanager.eu-west-1.amazonaws.com",
      "https://vpce-1234-abcd.secretsmanager.eu-west-1.vpce.amazonaws.com",
      "https://secretsmanager.cn-north-1.amazonaws.com.cn",
    ],
    wrong: ["secretsmanager.eu-west-1.amazonaws.com", "http://secretsmanager.eu-west-1.amazonaws.com"],
  },
  invokingServicePrincipal: {
    right: ["secretsmanager.amazonaws.com", "secretsmanager.amazonaws.com.cn", "secretsmanager.c2s.ic.gov"],
    wrong: ["", "*", "lambda.amazonaws.com", "123456789012", arn("iam", "root")],
  },
  kmsKeyArn: keys,
  superuserSecretArn: secrets,
  superuserSecretKmsKeyArn: keys,
  masterSecretArn: secrets,
  masterSecretKmsKeyArn: keys,
  // To a FIFO topic nobody has seen an alarm go.
  alarmTopicArn: { right: ["", arn("sns", "alarms-1_a")], wrong: ["alarms", arn("sns", "alarms.fifo")] },
  permissionsBoundary: {
    right: ["", "arn:aws:iam::123456789012:policy/teams/boundary", "arn:aws:iam::aws:policy/PowerUserAccess"],
    wrong: ["boundary", "arn:aws:iam::123456789012:role/boundary"],
  },
  rolePath: { right: ["/", "/rotation/", "/a/b/"], wrong: ["", "rotation", "/rotation"] },
};

const all = await applications();

test.for(Object.entries(given))("%s takes what is right, and refuses a mistake", ([name, { right, wrong }]) => {
  const parameters = all.flatMap(parametersOf).filter((each) => each.name === name);
  expect(parameters.length).toBeGreaterThan(0);
  for (const { pattern } of parameters) {
    for (const value of right) expect(value).toMatch(new RegExp(pattern?.[0] ?? "none"));
    for (const value of wrong) expect(value).not.toMatch(new RegExp(pattern?.[0] ?? "none"));
  }
});

test("each parameter that has a pattern is among them", () => {
  const withPattern = all.flatMap(parametersOf).filter(({ pattern }) => pattern);
  expect([...new Set(withPattern.map(({ name }) => name))].sort()).toEqual(Object.keys(given).sort());
});

test.for(all)("a parameter of $folder speaks of the RDS API only where the function asks it", (application) => {
  const descriptions = parametersOf(application).map(({ description }) => description);
  const asks = roleStatements(application).some(({ actions }) => actions.some((action) => action.startsWith("rds:")));
  expect(descriptions.some((text) => text.includes("RDS API"))).toBe(asks);
});

test.for(all)(
  "every default of $folder is one that its parameter takes, and only the name must be given",
  (application) => {
    for (const { name, default: value, pattern, values, limits } of parametersOf(application)) {
      if (value === undefined) expect(name).toBe("functionName");
      else {
        if (pattern) expect(value, name).toMatch(new RegExp(pattern[0]));
        if (values) expect(values, name).toContain(value);
        if (limits) expect(Number(value) >= limits.min && Number(value) <= limits.max, name).toBe(true);
      }
    }
  },
);
