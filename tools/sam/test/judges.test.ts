import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { workspace } from "@quarterturn-tools/bundle";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runAwsLines } from "../judges/aws-cli.ts";
import { installJudges, judge, synthesise } from "../judges/judges.ts";
import { type Application, applications } from "../src/applications.ts";
import { parametersOf } from "../src/parameters.ts";
import { readmeOf } from "../src/readme.ts";
import { isDatabase } from "../src/settings.ts";
import { templateOf } from "../src/template.ts";

const all = await applications();
const templateFile = ({ folder }: Application) => join(workspace, "sam-templates", folder, "template.yaml");
const script = (name: string) => fileURLToPath(new URL(`../judges/${name}`, import.meta.url));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "quarterturn-sam-"));
  await installJudges();
});
afterAll(() => rm(scratch, { recursive: true }));

/** I3510, which is off if it is not asked for: whether an action can be done to the resources that its statement names. */
const lint = (files: readonly string[]) => judge("cfn-lint", ["-c", "I3510", "--", ...files]);

async function written(name: string, text: string): Promise<string> {
  const file = join(scratch, name);
  await writeFile(file, text);
  return file;
}

test("there are ten applications, and those of whatever rotator is added", () => {
  const names = ["documentdb", "rds-mysql", "rds-postgres", "redshift", "template"];
  expect(all.map(({ folder }) => folder)).toEqual(
    expect.arrayContaining(names.flatMap((name) => [`${name}-multi-user`, `${name}-single-user`])),
  );
});

test("sam validate --lint finds nothing in the templates", { timeout: 120_000 }, async () => {
  const answer = await judge("python", [script("validate.py"), ...all.map(templateFile)]);
  expect(answer.match(/ is a valid SAM Template/g)).toHaveLength(all.length);
});

test("cfn-lint finds nothing in what the SAM translator makes of the templates", { timeout: 120_000 }, async () => {
  const answer = await judge("python", [script("transform.py"), ...all.map(templateFile)]);
  const translated = answer.trim().split("\n");
  expect(translated.map((each) => JSON.parse(each).Resources.RotationFunction.Type)).toEqual(
    all.map(() => "AWS::Lambda::Function"),
  );
  const files = await Promise.all(translated.map((each, i) => written(`${all[i]?.folder}.json`, each)));
  expect(await lint(files)).toBe("");
});

// Without this a judge that looks at nothing would not be noticed: that the IAM actions of a SAM template go unjudged was seen here.
test("each judge refuses a template that is wrong", { timeout: 120_000 }, async () => {
  const template = await readFile(templateFile(all[0] as Application), "utf8");
  const wrongAction = await written("action.yaml", template.replace("kms:GenerateDataKey", "kms:GenerateDataKeys"));
  const wrongResource = await written("resource.yaml", template.replace(":secret:*", ":secrets:*"));
  const wrongProperty = await written("property.yaml", template.replace("Period:", "Periods:"));
  const untranslatable = await written("untranslatable.yaml", template.replace("Tracing: Active", "Tracing: [Active]"));
  const [translated] = await Promise.all([
    judge("python", [script("transform.py"), wrongAction, wrongResource]),
    expect(judge("python", [script("validate.py"), wrongProperty])).rejects.toThrow("Periods"),
    expect(judge("python", [script("transform.py"), untranslatable])).rejects.toThrow("Tracing"),
    expect(judge("aws", ["serverlessrepo", "create-cloud-formation-change-set"])).rejects.toThrow("--application-id"),
  ]);
  const files = translated
    .trim()
    .split("\n")
    .map((each, i) => written(`wrong-${i}.json`, each));
  await expect(lint(await Promise.all(files))).rejects.toThrow(/W3037.*generatedatakeys.*I3510.*GetSecretValue/s);
});

test("an application of a database has the parameters that CloudFormation's HostedRotationLambda has for AWS's", async () => {
  const properties: string[] = JSON.parse(await judge("python", [script("hosted-rotation.py")]));
  const names = properties
    .filter((name) => name !== "RotationType" && name !== "Runtime")
    .map((name) => (name === "RotationLambdaName" ? "functionName" : name.charAt(0).toLowerCase() + name.slice(1)));
  expect(names.length).toBeGreaterThan(8);
  for (const application of all.filter(({ manifest }) => isDatabase(manifest))) {
    const wanted = names.filter((name) => application.strategy === "multi-user" || !/^(master|superuser)/.test(name));
    expect(parametersOf(application).map(({ name }) => name)).toEqual(expect.arrayContaining(wanted));
  }
});

/** What CloudFormation calls only for properties that no template has, and what takes the boundary off a role. */
const callsOfOthers: readonly RegExp[] = [
  /^iam:((At|De)tachRolePolicy|UpdateRole(Description)?|UpdateAssumeRolePolicy|DeleteRolePermissionsBoundary|UntagRole)$/,
  /^lambda:((Put|Delete)Function(Concurrency|CodeSigningConfig|RecursionConfig|ScalingConfig)|PutRuntimeManagementConfig)$/,
  /^lambda:(GetCodeSigningConfig|GetLayerVersion|PassCapacityProvider|PublishVersion|AssociateRuntimeAlias|UntagResource)$/,
  /^logs:((Put|Delete)(DataProtection|Index|Resource)Policy|CreateLogDelivery|(Disa|A)ssociateKmsKey|DeleteRetentionPolicy|UntagResource)$/,
  /^logs:Put(BearerTokenAuthentication|LogGroupDeletionProtection)$/,
  /^(cloudwatch:UntagResource|elasticfilesystem:.*|firehose:.*|kms:.*|s3:(GetObjectVersion|REST.*)|s3files:.*)$/,
];

test("the policy of who deploys has what CloudFormation calls to make, read, change and remove the templates' resources", async () => {
  const page = await readFile(join(workspace, "docs/permissions.md"), "utf8");
  const [, policy = ""] = /^## Who deploys\n.*?```json\n(.*?)```/ms.exec(page) ?? [];
  const statements: { Action: string | string[] }[] = JSON.parse(policy).Statement;
  const granted = new Set(statements.flatMap(({ Action }) => Action));
  const types = new Set(
    all.flatMap((application) =>
      Object.values<{ Type: string }>(parse(templateOf(application)).Resources).map(({ Type }) =>
        Type.replace("Serverless", "Lambda"),
      ),
    ),
  );
  const handlers = JSON.parse(await judge("python", [script("handlers.py"), ...types])) as Record<string, string[]>;
  const called = ["create", "read", "update", "delete"].flatMap((operation) => handlers[operation] ?? []);
  expect(called.length).toBeGreaterThan(50);
  const needed = new Set(called.filter((action) => !callsOfOthers.some((each) => each.test(action))));
  expect([...needed].filter((action) => !granted.has(action)).sort()).toEqual([]);
});

describe("the CDK", () => {
  const given = {
    functionName: "rotation",
    endpoint: "https://secretsmanager.eu-west-1.amazonaws.com",
    vpcSubnetIds: "subnet-1,subnet-2",
    vpcSecurityGroupIds: "sg-1",
    kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    passwordLength: "40",
  };
  const admin = { superuserSecretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:admin-AbCdEf" };
  /** The CDK's names of AWS's applications. */
  const rotationApplications: Readonly<Record<string, string>> = {
    documentdb: "MONGODB_ROTATION",
    "rds-mysql": "MYSQL_ROTATION",
    "rds-postgres": "POSTGRES_ROTATION",
    redshift: "REDSHIFT_ROTATION",
  };
  const uses = all.map(({ name, manifest, strategy, version }) => ({
    name,
    location: { applicationId: arn(name), semanticVersion: version },
    parameters: { ...given, ...(strategy === "multi-user" ? admin : {}) },
    ...(manifest.name in rotationApplications
      ? { rotationApplication: `${rotationApplications[manifest.name]}_${strategy.toUpperCase().replace("-", "_")}` }
      : {}),
  }));

  test("synthesises a stack that uses each application, and one in which it replaces AWS's", {
    timeout: 60_000,
  }, async () => {
    const { template, used } = JSON.parse(await synthesise(uses)) as {
      template: unknown;
      used: { application: Deployed; rotation?: Deployed }[];
    };
    all.forEach((application, i) => {
      const { Parameters: parameters, Outputs: outputs } = parse(templateOf(application));
      const { application: own, rotation } = used[i] ?? {};
      expect(own?.Properties.Location).toEqual({
        ApplicationId: arn(application.name),
        SemanticVersion: application.version,
      });
      expect(rotation === undefined).toBe(!isDatabase(application.manifest));
      if (rotation) expect(rotation.Properties.Location).toEqual(own?.Properties.Location);
      for (const deployed of [own, rotation]) {
        expect(Object.keys(parameters)).toEqual(
          expect.arrayContaining(Object.keys(deployed?.Properties.Parameters ?? {})),
        );
      }
      expect(Object.keys(outputs)).toContain("RotationLambdaARN");
    });
    // That the CDK's own mapping of AWS's applications is no longer used is W7001.
    expect(await judge("cfn-lint", ["-i", "W7001", "--", await written("cdk.json", JSON.stringify(template))])).toBe(
      "",
    );
  });

  test("refuses a use that is wrong", async () => {
    await expect(synthesise([{ name: "wrong", location: { semanticVersion: "1.0.0" } }])).rejects.toThrow(
      "applicationId",
    );
  });
});

interface Deployed {
  readonly Properties: { readonly Location: unknown; readonly Parameters: object };
}

describe.for(all)("$folder", { timeout: 60_000 }, (application) => {
  // https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
  test("the metadata keeps to the repository's limits", () => {
    const metadata = parse(templateOf(application)).Metadata["AWS::ServerlessRepo::Application"];
    expect(metadata.Name).toMatch(/^[a-zA-Z0-9-]{1,140}$/);
    expect(metadata.Description.length).toBeLessThanOrEqual(256);
    expect(metadata.Author).toMatch(/^(?=.{1,127}$)[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?$/);
    expect(metadata.Labels.length).toBeLessThanOrEqual(10);
    for (const label of metadata.Labels) expect(label).toMatch(/^[a-zA-Z0-9+\-_:/@]{1,127}$/);
    expect(metadata.SemanticVersion).toMatch(/^\d+\.\d+\.\d+$/);
    expect(metadata.HomePageUrl).toMatch(/^https:\/\//);
    expect(metadata.SpdxLicenseId).toBe("Apache-2.0");
    expect(Buffer.byteLength(readmeOf(application))).toBeLessThan(150_000);
  });

  test("the page's line for the AWS CLI passes the CLI's own validation and names parameters that exist", async () => {
    const page = readmeOf(application).replaceAll("\\\n", " ");
    const line = /^aws serverlessrepo .*$/m.exec(page)?.[0].replace("APPLICATION-ARN", arn(application.name));
    const calls = await runAwsLines(line ?? "", { folder: scratch });
    const overrides: { name: string; value: string }[] = JSON.parse(calls[0]?.body ?? "").parameterOverrides;
    const { Parameters: parameters } = parse(templateOf(application));
    expect(overrides.find(({ name }) => name === "vpcSubnetIds")?.value).toBe("subnet-1,subnet-2");
    for (const { name } of overrides) expect(Object.keys(parameters)).toContain(name);
    const required = Object.entries(parameters as Record<string, object>).filter(([, each]) => !("Default" in each));
    expect(overrides.map(({ name }) => name)).toEqual(expect.arrayContaining(required.map(([name]) => name)));
  });
});

const arn = (name: string) => `arn:aws:serverlessrepo:eu-west-1:123456789012:applications/${name}`;
