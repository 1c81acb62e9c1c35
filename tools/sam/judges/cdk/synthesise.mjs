/**
 * Reads from standard input what is to be deployed, and writes the CloudFormation that the CDK makes of it: as one writes it for any application
 * of the repository (`application`), and as one moves a SecretRotation of the CDK's own, which knows AWS's applications only (`rotation`).
 *
 *     node synthesise.mjs FOLDER-WITH-AWS-CDK-LIB FOLDER-FOR-WHAT-THE-CDK-WRITES
 */
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const [cdkFolder, outdir] = process.argv.slice(2);

const {
  App,
  Stack,
  aws_ec2: { Connections, Port, SecurityGroup, Vpc },
  aws_sam: { CfnApplication },
  aws_secretsmanager: { CfnRotationSchedule, Secret, SecretRotation, SecretRotationApplication },
} = createRequire(`${cdkFolder}/`)("aws-cdk-lib");

const app = new App({ outdir });
const stack = new Stack(app, "stack");
const vpc = new Vpc(stack, "vpc", { natGateways: 0 });
const securityGroup = new SecurityGroup(stack, "database", { vpc });
const target = { connections: new Connections({ securityGroups: [securityGroup], defaultPort: Port.tcp(5432) }) };

const used = JSON.parse(await text(process.stdin)).map(({ name, location, parameters, rotationApplication }) => {
  const application = new CfnApplication(stack, name, { location, parameters });
  new CfnRotationSchedule(stack, `${name}-schedule`, {
    secretId: new Secret(stack, `${name}-secret`).secretArn,
    rotationLambdaArn: application.getAtt("Outputs.RotationLambdaARN").toString(),
    rotationRules: { automaticallyAfterDays: 30 },
  });
  if (rotationApplication === undefined) return { name, application };

  const rotation = new SecretRotation(stack, `${name}-rotation`, {
    application: SecretRotationApplication[rotationApplication],
    secret: new Secret(stack, `${name}-rotated`),
    ...(SecretRotationApplication[rotationApplication].isMultiUser
      ? { masterSecret: new Secret(stack, `${name}-admin`) }
      : {}),
    excludeCharacters: "/",
    target,
    vpc,
  });
  rotation.node.defaultChild.location = location;
  return { name, application, rotation: rotation.node.defaultChild };
});

const { template } = app.synth().getStackArtifact("stack");
const resourceOf = (construct) => construct && template.Resources[stack.getLogicalId(construct)];
process.stdout.write(
  JSON.stringify({
    template,
    used: used.map(({ name, application, rotation }) => ({
      name,
      application: resourceOf(application),
      rotation: resourceOf(rotation),
    })),
  }),
);
