/** An application that logs in continuously, in a process of its own: one attempt after the other, each reported to the parent. */
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Attempt } from "./attempt.ts";
import { type EngineName, engineNamed } from "./engines.ts";

const [engine = "", endpoint = "", secretId = "", caFile] = process.argv.slice(2);

const secretsManager = new SecretsManagerClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "application", secretAccessKey: "application" },
});
const logIn = await (await engineNamed(engine as EngineName)).application(caFile);

process.once("disconnect", () => process.exit());
for (;;) {
  const at = performance.timeOrigin + performance.now();
  const { SecretString = "" } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId }));
  process.send?.({ at, outcome: await logIn(JSON.parse(SecretString)) } satisfies Attempt);
}
