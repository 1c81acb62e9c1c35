import type { Application } from "./applications.ts";
import { parametersOf } from "./parameters.ts";
import { descriptionOf } from "./template.ts";

/** The page that the Serverless Application Repository shows for an application. Deterministic. */
export function readmeOf(application: Application): string {
  const { name, manifest, strategy, homepage, version } = application;
  const docs = `${homepage}/tree/main/${application.packageFolder}`;
  return `# ${name}

${descriptionOf(application)}

Version ${version}. It rotates secrets that AWS's own rotation functions rotate, as they are; only a server without TLS needs \`"ssl": false\` in its secret.
What it does in each case, the database rights that it needs and the secret's keys are described [there](${docs}).

## Deploying

In the console: give the function a name${strategy === "multi-user" ? ", the ARN of the admin's secret" : ""} and the subnets and security groups from which the database can be reached. By the AWS CLI, with the
application's ARN as the repository shows it:

\`\`\`sh
aws serverlessrepo create-cloud-formation-change-set --application-id APPLICATION-ARN --stack-name ${manifest.name}-rotation \\
  --capabilities CAPABILITY_IAM CAPABILITY_RESOURCE_POLICY \\
  --parameter-overrides Name=functionName,Value=${manifest.name}-rotation 'Name=vpcSubnetIds,Value="subnet-1,subnet-2"' Name=vpcSecurityGroupIds,Value=sg-1${
    strategy === "multi-user" ? " \\\n  Name=superuserSecretArn,Value=ADMIN-SECRET-ARN" : ""
  }
aws cloudformation execute-change-set --change-set-name CHANGE-SET-ARN
aws secretsmanager rotate-secret --secret-id SECRET --rotation-lambda-arn FUNCTION-ARN --rotation-rules AutomaticallyAfterDays=30
\`\`\`

The function may then rotate every secret of the account that names it as its rotation function, and no other.

## Parameters

| parameter | default | meaning |
| --- | --- | --- |
${parametersOf(application)
  .map(
    ({ name: parameter, default: value, description, values }) =>
      `| \`${parameter}\` | ${value === undefined ? "required" : value === "" ? "" : `\`${value.replaceAll("|", "\\|")}\``} | ${description}${
        values && parameter !== "logRetentionInDays" ? ` One of ${values.join(", ")}.` : ""
      } |`,
  )
  .join("\n")}

## What was run

${manifest.verifiedAgainst.map((line) => `- ${line}`).join("\n")}
`;
}
