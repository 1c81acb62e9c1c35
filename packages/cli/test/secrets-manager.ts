import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type LocalOptions, type RotationEvent, startLocal } from "@quarterturn/local";

export interface Service extends AsyncDisposable {
  readonly local: LocalEndpoint;
  readonly sm: SecretsManager;
  /** Who holds which label, by the value: every secret of these tests has another value in each version. */
  labels(secretId: string): Promise<Record<string, readonly string[]>>;
}

/** A local Secrets Manager with the functions `works`, which stages VALUE+ and makes it current, and `fails`, which ends in createSecret. */
export async function startService(options: LocalOptions = {}): Promise<Service> {
  const local = await startLocal({
    functions: { works: (event) => rotate(event), fails },
    rotationRetry: { attempts: 0, delayMs: 0 },
    ...options,
  });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const sm = new SecretsManager({ endpoint: local.url, region: local.region, credentials, maxAttempts: 1 });

  async function rotate({ Step, SecretId, ClientRequestToken, RotationToken }: RotationEvent): Promise<void> {
    const { SecretString, VersionId } = await sm.getSecretValue({ SecretId });
    const pending = { ClientRequestToken, RotationToken, VersionStages: ["AWSPENDING"] };
    if (Step === "createSecret") await sm.putSecretValue({ SecretId, SecretString: `${SecretString}+`, ...pending });
    if (Step !== "finishSecret") return;
    const move = { MoveToVersionId: ClientRequestToken, RemoveFromVersionId: VersionId };
    await sm.updateSecretVersionStage({ SecretId, VersionStage: "AWSCURRENT", ...move });
  }

  return {
    local,
    sm,
    async labels(secretId) {
      const { Versions = [] } = await sm.listSecretVersionIds({ SecretId: secretId, IncludeDeprecated: true });
      const entries = Versions.map(async ({ VersionId, VersionStages = [] }) => {
        const value = await sm.getSecretValue({ SecretId: secretId, VersionId }).catch(withoutValue);
        return [value.SecretString ?? "no value", VersionStages.toSorted()] as const;
      });
      return Object.fromEntries(await Promise.all(entries));
    },
    async [Symbol.asyncDispose]() {
      sm.destroy();
      await local.close();
    },
  };
}

async function fails(): Promise<void> {
  throw new Error("this function fails");
}

function withoutValue(error: { name: string }): { SecretString?: string } {
  if (error.name === "ResourceNotFoundException") return {};
  throw error;
}
