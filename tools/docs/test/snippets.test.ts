import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workspace } from "@quarterturn-tools/bundle";
import { applications, parametersOf, roleStatements } from "@quarterturn-tools/sam";
import { cdkFolder, judge } from "@quarterturn-tools/sam/judges";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parse, type ScalarTag } from "yaml";
import { conditionKeys } from "../src/condition-keys.ts";
import { pages, type Snippet, snippetsOf } from "../src/pages.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "quarterturn-snippets-"));
  // The Python environment takes a minute where it is not there yet.
  await judge("cfn-lint", ["--version"]);
}, 240_000);
afterAll(() => rm(scratch, { recursive: true }));

vi.setConfig({ testTimeout: 120_000 });

const all = (await pages()).flatMap(snippetsOf);
const of = (language: string) => all.filter((each) => each.language === language);
const place = ({ page, line }: Snippet) => `${page}:${line}`;

/** With numbers and names in place of what the reader fills in. */
const filledIn = (text: string) => text.replaceAll("ACCOUNT", "123456789012").replaceAll("REGION", "eu-west-1");

interface Statement {
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
}

test("every JSON block is JSON, and cfn-lint finds nothing in those that are policies: actions, operators, principals, ARNs", async () => {
  const resources: Record<string, object> = {};
  for (const snippet of of("json")) {
    const value = JSON.parse(filledIn(snippet.code));
    const policy = "Effect" in value ? { Version: "2012-10-17", Statement: [value] } : value;
    if (policy.Statement !== undefined) resources[place(snippet).replaceAll(/\W/g, "")] = holderOf(policy);
  }
  expect(Object.keys(resources).length).toBeGreaterThan(10);
  const file = join(scratch, "policies.json");
  await writeFile(file, JSON.stringify({ Resources: resources }, null, 1));
  expect(await judge("cfn-lint", [file])).toBe("");
});

// cfn-lint takes any word for a condition's key, and IAM too: one that does not exist is in no request, so that the statement never holds.
test("every condition's key, of the pages and of the function's role, is one that AWS documents", async () => {
  const used = new Set<string>();
  for (const { code } of of("json")) addConditionKeys(JSON.parse(code), used);
  for (const { code } of of("yaml")) addConditionKeys(parse(code, { customTags: shortFunctions }), used);
  for (const application of await applications())
    for (const { condition } of roleStatements(application)) addConditionKeys({ Condition: condition }, used);
  expect([...used].sort()).toEqual(Object.keys(conditionKeys).sort());
});

// The Data API's probes have the rotated secret's key and go the same way to Secrets Manager, under names of their own.
test("where a page limits by name which secrets are written, what lets the function write them lets it write its probes", () => {
  const writes = /"(secretsmanager:(\*|PutSecretValue)|kms:GenerateDataKey)"/;
  const limits = of("json").filter(({ code }) =>
    (JSON.parse(code).Statement ?? []).some(
      (each: object & { Effect: string }) =>
        each.Effect === "Allow" && writes.test(JSON.stringify(each)) && code.includes(":secret:prod/"),
    ),
  );
  expect(limits.length).toBeGreaterThan(2);
  expect(limits.filter(({ code }) => !code.includes(":secret:quarterturn-probe/")).map(place)).toEqual([]);
});

/** Adds the keys of every `Condition` of IAM within a value; those of CloudFormation's resources are names. */
function addConditionKeys(value: unknown, keys: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, each] of Object.entries(value)) {
    if (name === "Condition" && typeof each === "object")
      for (const operands of Object.values(each ?? {}))
        for (const key of Object.keys(operands as object)) keys.add(key);
    else addConditionKeys(each, keys);
  }
}

/** A resource of CloudFormation that has such a policy. */
function holderOf(policy: { Statement: readonly Statement[] }): object {
  const actions = policy.Statement.flatMap(({ Action }) => Action);
  if (policy.Statement.every(({ Principal }) => Principal === undefined))
    return { Type: "AWS::IAM::ManagedPolicy", Properties: { PolicyDocument: policy } };
  if (actions.includes("sts:AssumeRole"))
    return { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: policy } };
  // cfn-lint does not look into the policies of secrets, functions and endpoints; their language is that of a key's.
  return { Type: "AWS::KMS::Key", Properties: { EnableKeyRotation: true, KeyPolicy: policy } };
}

test("every YAML block is a template, of SAM or CloudFormation, in which cfn-lint finds nothing", async () => {
  const files: string[] = [];
  for (const snippet of of("yaml")) {
    const file = join(scratch, `${place(snippet).replaceAll(/\W/g, "-")}.yaml`);
    await writeFile(file, filledIn(snippet.code));
    files.push(file);
  }
  expect(files.length).toBeGreaterThan(1);
  await expectTemplates(files);
});

// Its policy takes the place of the one that a topic is made with, by which CloudWatch may publish: an alarm would be raised, and nobody told.
test("a topic that a page makes lets in the applications' alarms", () => {
  const policies = of("yaml").flatMap(({ code }) =>
    Object.values((parse(code, { customTags: shortFunctions }) as Template).Resources).filter(
      ({ Type }) => Type === "AWS::SNS::TopicPolicy",
    ),
  );
  expect(policies.length).toBeGreaterThan(0);
  for (const policy of policies) expect(JSON.stringify(policy)).toContain('{"Service":"cloudwatch.amazonaws.com"}');
});

test("every HCL block is HCL that names no resource or variable but its own, and the stack in it is given what the application takes", async () => {
  const blocks = of("hcl");
  expect(blocks.length).toBeGreaterThan(1);
  for (const [i, { code }] of blocks.entries()) {
    const file = join(scratch, `${i}.tf`);
    await writeFile(file, code);
    const { resource, variable = [] } = withoutQuotes(JSON.parse(await judge("hcl2tojson", [file]))) as Terraform;
    const resources = resource.flatMap((each) => Object.entries(each));
    const declared = new Set([
      ...variable.flatMap((each) => Object.keys(each)).map((name) => `var.${name}`),
      ...resources.flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`)),
    ]);
    const used = code.match(/(?<![\w."/])(var|aws_\w+)\.\w+/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !declared.has(name))).toEqual([]);
    const stacks = resources.filter(([type]) => type.endsWith("_stack")).flatMap(([, named]) => Object.values(named));
    expect(stacks).toHaveLength(1);
    for (const { parameters, application_id = "quarterturn-rds-postgres-multi-user", semantic_version } of stacks)
      await expectDeployable(application_id, Object.keys(parameters), semantic_version);
  }
});

interface Terraform {
  readonly resource: readonly Readonly<Record<string, Readonly<Record<string, Stack>>>>[];
  readonly variable?: readonly object[];
}
interface Stack {
  readonly application_id?: string;
  readonly semantic_version?: string;
  readonly parameters: object;
}

/** hcl2tojson leaves the quotes round names and texts. */
function withoutQuotes(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/^"(.*)"$/s, "$1");
  if (Array.isArray(value)) return value.map(withoutQuotes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [withoutQuotes(key), withoutQuotes(each)]));
}

test("the CDK synthesises every TypeScript block that uses it, and the stack in it is given what the application takes", async () => {
  const blocks = of("ts").filter(({ code }) => code.includes('from "aws-cdk-lib'));
  expect(blocks.length).toBeGreaterThan(0);
  for (const [i, { code }] of blocks.entries()) {
    const folder = join(scratch, `cdk-${i}`);
    const source = join(folder, "app.ts");
    await mkdir(folder);
    await symlink(join(await cdkFolder(), "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(source, filledIn(code));
    const options = "--ignoreConfig --strict --noEmit --skipLibCheck --module nodenext --target es2023".split(" ");
    await judge(join(workspace, "node_modules/.bin/tsc"), [...options, source]);
    await judge(process.execPath, [source], { CDK_OUTDIR: folder });
    const templates = (await readdir(folder)).filter((name) => name.endsWith(".template.json"));
    expect(templates).toHaveLength(1);
    await expectTemplates(templates.map((name) => join(folder, name)));
  }
});

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: unknown }>>;
}

interface Location {
  readonly ApplicationId: string;
  readonly SemanticVersion: string;
}

/** cfn-lint finds nothing in the templates, and the applications in them get what they take. */
async function expectTemplates(files: readonly string[]): Promise<void> {
  expect(await judge("cfn-lint", files)).toBe("");
  for (const file of files) {
    const { Resources } = parse(await readFile(file, "utf8"), { customTags: shortFunctions }) as Template;
    for (const { Type, Properties } of Object.values(Resources)) {
      if (Type !== "AWS::Serverless::Application") continue;
      const { Location, Parameters } = Properties as { Location: Location; Parameters: object };
      await expectDeployable(Location.ApplicationId, Object.keys(Parameters), Location.SemanticVersion);
    }
  }
}

/** CloudFormation's short forms, as its JSON has them. */
const shortFunctions: ScalarTag[] = [
  { tag: "!Ref", resolve: (name) => ({ Ref: name }) },
  { tag: "!GetAtt", resolve: (path) => ({ "Fn::GetAtt": [path.split(".", 1)[0], path.replace(/^\w+\./, "")] }) },
];

/** The application is one of ours, in its version where one is named, has these parameters, and needs no other. */
async function expectDeployable(applicationId: string, given: readonly string[], version?: string): Promise<void> {
  const name = /[\w-]+$/.exec(applicationId)?.[0];
  const application = (await applications()).find((each) => each.name === name);
  if (!application) throw new Error(`${applicationId} is no application of ours`);
  if (version !== undefined) expect(version, "npm run generate renews it").toBe(application.version);
  const parameters = parametersOf(application);
  expect(parameters.map((each) => each.name)).toEqual(expect.arrayContaining([...given]));
  const required = parameters.filter((each) => each.default === undefined);
  expect(given).toEqual(expect.arrayContaining(required.map((each) => each.name)));
}
