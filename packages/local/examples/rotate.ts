import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { type RotationEvent, startLocal } from "@quarterturn/local";

await using local = await startLocal({ functions: { "rotate-token": rotateToken } });

const sm = new SecretsManager({
  endpoint: local.url,
  region: local.region,
  credentials: { accessKeyId: "any", secretAccessKey: "any" },
});

await sm.createSecret({ Name: "prod/api/token", SecretString: "first" });
await sm.rotateSecret({ SecretId: "prod/api/token", RotationLambdaARN: local.functionArn("rotate-token") });
await local.settled("prod/api/token");

for (const { name } of local.events) process.stdout.write(`${name}\n`);
process.stdout.write(`${(await sm.getSecretValue({ SecretId: "prod/api/token" })).SecretString}\n`);

async function rotateToken({ Step, SecretId, ClientRequestToken, RotationToken }: RotationEvent): Promise<void> {
  if (Step === "createSecret") {
    const pending = { ClientRequestToken, RotationToken, VersionStages: ["AWSPENDING"] };
    await sm.putSecretValue({ SecretId, SecretString: "second", ...pending });
  }
  if (Step === "finishSecret") {
    const { VersionId } = await sm.getSecretValue({ SecretId });
    const move = { MoveToVersionId: ClientRequestToken, RemoveFromVersionId: VersionId };
    await sm.updateSecretVersionStage({ SecretId, VersionStage: "AWSCURRENT", ...move });
  }
}
