import { type Permission, permissionsOf } from "@quarterturn/core";
import { type Application, applications, code, conditionText, policyOf, roleStatements } from "@quarterturn-tools/sam";

/**
 * The policies of the role of a function for RDS PostgreSQL, by what has to be the case for each to be needed: all of single-user's, or what
 * multi-user has besides.
 */
export async function rolePolicies(strategy: Application["strategy"]): Promise<string> {
  const singleUser = await statementsOf("single-user");
  const known = new Set(singleUser.map((statement) => JSON.stringify(statement)));
  const statements =
    strategy === "single-user"
      ? singleUser
      : (await statementsOf(strategy)).filter((statement) => !known.has(JSON.stringify(statement)));
  return [...new Set(statements.map(({ onlyIf }) => onlyIf))]
    .filter((condition) => !condition?.startsWith("hasMaster"))
    .map((condition) => {
      const together = statements.filter(({ onlyIf }) => onlyIf === condition).map(({ onlyIf: _, ...rest }) => rest);
      const name = strategy === "single-user" ? fileNames[condition ?? "always"] : undefined;
      return `${whenOf(condition)}${name === undefined ? "" : `, as ${code(name)}`}:\n\n\`\`\`json\n${readable(withoutParameters(policyOf(together)))}\n\`\`\``;
    })
    .join("\n\n");
}

async function statementsOf(strategy: Application["strategy"]) {
  const application = (await applications()).find((each) => each.folder === `rds-postgres-${strategy}`);
  if (!application) throw new Error(`There is no application of rds-postgres for ${strategy}`);
  return roleStatements(application);
}

/** The files that the commands of docs/deploying/npm.md take, by what has to be the case. */
const fileNames: Readonly<Record<string, string>> = { always: "policy.json", hasVpc: "vpc-policy.json" };

/** With lists of texts on one line, and a list of one as that one. */
const readable = (policy: unknown) =>
  JSON.stringify(policy, null, 2).replaceAll(/\[\s+("[^\]{}]*")\s+\]/g, (_, texts: string) =>
    texts.includes(",") ? `[${texts.replaceAll(/\s+/g, " ")}]` : texts,
  );

const conditions: Readonly<Record<string, string>> = {
  hasKey: "Where the secrets have a key of their own (`kmsKeyArn`)",
  hasVpc: "In a VPC (`vpcSubnetIds`): for Lambda itself, and denied to the code in the function",
  hasSuperuserSecret: "The admin secret (`superuserSecretArn`)",
  hasSuperuserKey: "Where the admin secret has a key of its own (`superuserSecretKmsKeyArn`)",
};

function whenOf(condition: string | undefined): string {
  const text = condition === undefined ? "Always" : conditions[condition];
  if (text === undefined)
    throw new Error(`The role has statements under ${condition}, for which the page has no words`);
  return text;
}

/** What stands for CloudFormation's parameters and attributes on a page, the longer names in the form of an ARN. */
const placeholders: Readonly<Record<string, string>> = {
  "AWS::Partition": "aws",
  "AWS::Region": "REGION",
  "AWS::AccountId": "ACCOUNT",
  "AWS::URLSuffix": "amazonaws.com",
  functionName: "FUNCTION",
  kmsKeyArn: "arn:aws:kms:REGION:ACCOUNT:key/KEY",
  superuserSecretArn: "arn:aws:secretsmanager:REGION:ACCOUNT:secret:ADMIN-SECRET-??????",
  superuserSecretKmsKeyArn: "arn:aws:kms:REGION:ACCOUNT:key/ADMIN-KEY",
  "RotationLog.Arn": "arn:aws:logs:REGION:ACCOUNT:log-group:LOG-GROUP:*",
};

function placeholder(name: string): string {
  const text = placeholders[name];
  if (text === undefined) throw new Error(`The role names ${name}, for which the page has no placeholder`);
  return text;
}

/** A policy in CloudFormation's JSON as IAM takes it. */
function withoutParameters(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutParameters);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [[name, argument] = ["", undefined]] = entries;
  if (name === "Ref") return placeholder(String(argument));
  if (name === "Fn::GetAtt") return placeholder((argument as readonly string[]).join("."));
  if (name === "Fn::Sub") return String(argument).replaceAll(/\$\{([\w:]+)\}/g, (_, each: string) => placeholder(each));
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutParameters(each)]));
}

/** The rows of a table: what each engine's functions may do besides, engines and strategies of which that is the same together. */
export async function engineRows(): Promise<readonly (readonly string[])[]> {
  const rows = new Map<
    string,
    { readonly cells: readonly string[]; readonly titles: Set<string>; readonly strategies: Set<string> }
  >();
  for (const { manifest, strategy } of await applications()) {
    for (const permission of permissionsOf({ manifest, strategy })) {
      const cells = cellsOf(permission);
      const row = rows.get(cells.join()) ?? { cells, titles: new Set(), strategies: new Set() };
      row.titles.add(manifest.title);
      row.strategies.add(strategy);
      rows.set(cells.join(), row);
    }
  }
  return [...rows.values()].map(({ cells, titles, strategies }) => [
    `${[...titles].join(", ")}${strategies.size === 1 ? `, ${[...strategies].join()}` : ""}`,
    ...cells,
  ]);
}

function cellsOf({ service, operations, resources, condition, why, setting }: Permission): readonly string[] {
  const on = resources?.map((resource) => code(`arn:aws:${resource.replace(":", ":REGION:ACCOUNT:")}`)) ?? [code("*")];
  return [
    operations.map((operation) => code(`${service}:${operation}`)).join(", "),
    on.join(", ") + conditionText(condition),
    setting ? `${why} Only with ${code(`${setting.name}=${setting.value}`)}.` : why,
  ];
}
