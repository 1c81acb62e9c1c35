/** An application that logs in continuously, in a process of its own: one attempt after the other, each reported to the parent. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Client, DatabaseError } from "pg";
import type { Attempt } from "./attempt.ts";

const [endpoint = "", secretId = "", caFile = ""] = process.argv.slice(2);

const secretsManager = new SecretsManagerClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "application", secretAccessKey: "application" },
});
const secureContext = createSecureContext({ ca: await readFile(caFile) });

process.once("disconnect", () => process.exit());
for (;;) {
  const at = performance.timeOrigin + performance.now();
  process.send?.({ at, outcome: await attempt() } satisfies Attempt);
}

async function attempt(): Promise<Attempt["outcome"]> {
  const { SecretString = "" } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId }));
  const { host, port, username, password } = JSON.parse(SecretString) as Record<string, string>;
  const client = new Client({
    host,
    port: Number(port),
    user: username,
    password,
    database: "postgres",
    ssl: { secureContext },
  });
  try {
    await client.connect();
    await client.end();
    return "accepted";
  } catch (error) {
    if (error instanceof DatabaseError && error.code === "28P01") return "refused";
    throw error;
  }
}
