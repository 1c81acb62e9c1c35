import type { Application } from "./applications.ts";
import type { Value } from "./cloudformation.ts";
import { code, conditionText, table } from "./markdown.ts";
import { type Parameter, parametersOf } from "./parameters.ts";
import { roleStatements, type Statement } from "./role.ts";
import { isDatabase } from "./settings.ts";
import { descriptionOf } from "./template.ts";

/** The page that the Serverless Application Repository shows for an application. Deterministic. */
export function readmeOf(application: Application): string {
  const sections = [
    `# ${application.name}`,
    descriptionOf(application),
    introduction(application),
    deploying(application),
    ...(application.isExample ? [ownFunction(application)] : []),
    ...(application.strategy === "multi-user" ? [adminSecret(application)] : []),
    `## What its role may do\n\n${roleTable([application])}`,
    `## Parameters\n\n${table(["parameter", "default", "meaning"], parametersOf(application).map(parameterRow))}`,
    `## Outputs

${table(
  ["output", "what it is"],
  [
    ["`RotationLambdaARN`", "The function's ARN, which rotated secrets name."],
    ["`RotationLambdaRoleARN`", "The ARN of its role, for policies of yours."],
    ["`RotationLogGroup`", "The name of its log group: the log of a step that failed says why, and what to do."],
  ],
)}`,
    `## What was run

${application.manifest.verifiedAgainst.map((line) => `- ${line}`).join("\n")}
- The template passes cfn-lint, the SAM translator and the CDK; nobody has deployed it yet
- All of it ran on x86_64, and nothing on arm64, which \`architecture\` is by default: the function is JavaScript alone`,
  ];
  return `${sections.join("\n\n")}\n`;
}

function introduction({ manifest, version, homepage, packageFolder }: Application): string {
  const page = `${homepage}/tree/main/${packageFolder}`;
  return isDatabase(manifest)
    ? `Version ${version}. It rotates secrets that AWS's own rotation functions rotate, with [few exceptions](${homepage}/blob/main/README.md#moving-from-awss-functions):
a server without TLS, for one, needs \`"ssl": false\` in its secret. [What it does in each case, the database rights that it needs and the secret's keys](${page}).`
    : `Version ${version}. [What the function does, and the secret's keys](${page}).`;
}

function deploying({ manifest, strategy, isExample, homepage }: Application): string {
  const name = isExample ? "my-rotation" : `${manifest.name}-rotation`;
  const isMultiUser = strategy === "multi-user";
  const reached = isDatabase(manifest) ? "the database and Secrets Manager" : "the service and Secrets Manager";
  return `## Deploying

In the console: give the function a name${isMultiUser ? ", the ARN of the admin secret" : ""} and the subnets and security groups from which ${reached} can be reached
(Secrets Manager by an interface endpoint or a NAT gateway), and acknowledge that the application makes a role and a resource policy. By the AWS CLI,
with the application's ARN as the repository shows it:

\`\`\`sh
aws serverlessrepo create-cloud-formation-change-set --application-id APPLICATION-ARN --stack-name ${name} \\
  --capabilities CAPABILITY_IAM CAPABILITY_RESOURCE_POLICY \\
  --parameter-overrides Name=functionName,Value=${name} 'Name=vpcSubnetIds,Value="subnet-1,subnet-2"' Name=vpcSecurityGroupIds,Value=sg-1${
    isMultiUser ? " \\\n  Name=superuserSecretArn,Value=ADMIN-SECRET-ARN" : ""
  }
aws cloudformation wait change-set-create-complete --change-set-name CHANGE-SET-ARN
aws cloudformation execute-change-set --change-set-name CHANGE-SET-ARN
aws cloudformation wait stack-create-complete --stack-name STACK-ARN
aws cloudformation describe-stacks --stack-name STACK-ARN --query 'Stacks[0].Outputs'
aws secretsmanager rotate-secret --secret-id SECRET --rotation-lambda-arn FUNCTION-ARN --no-rotate-immediately \\
  --rotation-rules '{"ScheduleExpression": "cron(0 2 ? * SUN *)", "Duration": "3h"}'
\`\`\`

The first command prints CHANGE-SET-ARN and STACK-ARN, the last but one FUNCTION-ARN. The last gives the secret its schedule and changes no password:
Secrets Manager runs testSecret alone. [What to look at then, and how to rotate](${homepage}/blob/main/docs/deploying.md#3-try-it-without-changing-a-password).
The function may rotate every secret of the account that names it as its rotation function, and no other.`;
}

function ownFunction({ strategy, homepage }: Application): string {
  return `## Your own function

The function is that of an example, which speaks to a service of its own. [Write the one for your service](${homepage}/blob/main/docs/writing-a-rotator.md) in a
clone, and put it in the example's place:

\`\`\`sh
npm ci
npm run new-rotator -- NAME
npm run bundle
aws lambda update-function-code --function-name FUNCTION --zip-file fileb://build/lambda/NAME-${strategy}.zip
\`\`\`

Settings of your own go into the function's environment beside those that are there. Another version of the application brings the example and its environment
back; \`npm run generate\` writes a template for your rotator, too (sam-templates/NAME-${strategy}), which has your settings as parameters: deploy that
where the function shall last.`;
}

function adminSecret({ manifest, homepage }: Application): string {
  const orElse = isDatabase(manifest) ? ", else it is `superuserSecretArn`" : "";
  const actions = isDatabase(manifest)
    ? "`secretsmanager:GetSecretValue` and `secretsmanager:DescribeSecret`"
    : "`secretsmanager:GetSecretValue`";
  return `## The admin secret

A secret's \`masterarn\` names its admin secret${orElse}. The role can read \`superuserSecretArn\` (or \`masterSecretArn\`, its older name) and no other
admin secret: where a secret's \`masterarn\` is another one, or neither parameter is given, its rotations stop with \`privilege\` before anything is
changed. That is not refused when you deploy, since one function may serve several: then allow the role (\`RotationLambdaRoleARN\`)
${actions} on each admin secret, and \`kms:Decrypt\` on its key
([the policy](${homepage}/blob/main/docs/permissions.md#several-admin-secrets)).`;
}

/** What the role of each of these applications may do, the strategies of one package or one of them. */
export function roleTable(applications: readonly Application[]): string {
  const rows = new Map<string, readonly string[]>();
  for (const application of applications) {
    for (const { effect, actions, resources, condition, why } of roleStatements(application)) {
      const may = `${effect === "Deny" ? "denied: " : ""}${actions.map(code).join(", ")}`;
      const on = resources.map(resourceText).join(", ") + conditionText(condition, conditionValue);
      const isFirst = application === applications[0];
      if (!rows.has(may + on)) rows.set(may + on, [may, on, isFirst ? why : `Multi-user: ${why}`]);
    }
  }
  return table(["action", "on", "for"], [...rows.values()]);
}

/** ARNs by what differs in them: partition, region and account are the stack's. */
function resourceText(resource: Statement["resources"][number]): string {
  if (resource === "*") return "everything";
  const [[kind = "", value] = []] = Object.entries(resource as Readonly<Record<string, Value>>);
  if (kind === "Ref") return `${code(String(value))}, if it is given`;
  if (kind === "Fn::Sub") return code(String(value).replace(/^arn:.*AccountId\}:/, ""));
  return "its log group";
}

/** A text, or one with the stack's and parameters' values in it. */
function conditionValue(value: unknown): string {
  return typeof value === "string" ? code(value) : resourceText(value as Value);
}

function parameterRow({ name, default: value, description, values }: Parameter): readonly string[] {
  const choice = values && values.length > 1 && values.length < 10 ? ` One of ${values.join(", ")}.` : "";
  return [code(name), value === undefined ? "required" : value === "" ? "" : code(value), description + choice];
}
