import {
  CancelRotateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";

/** Which version of a secret. */
export type Which = { readonly version: string } | { readonly label: string };

/** What people do to a secret while its rotation runs, and what they see. Not through the suite's proxy. */
export interface Operator {
  /** Version ids to their labels. */
  labels(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** The id of the version with a label. */
  holder(label: string): Promise<string | undefined>;
  /** Every version with a value: id to SecretString, or to the base64 text of a binary value. */
  values(): Promise<Readonly<Record<string, string>>>;
  /** SecretString; undefined where there is no such version or it has no value. */
  text(which: Which): Promise<string | undefined>;
  /** PutSecretValue; without a version AWSCURRENT moves to the new one. */
  put(text: string, pending?: { readonly token: string }): Promise<string>;
  /** Moves a label, from wherever it is; without `to` it is removed, if a version has it. */
  move(label: string, to?: string): Promise<void>;
  cancelRotation(): Promise<void>;
}

export function operatorOf(client: SecretsManagerClient, secretId: string): Operator {
  const SecretId = secretId;
  const labels = async () => (await client.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages ?? {};
  const holder = async (label: string) =>
    Object.entries(await labels()).find(([, stages]) => stages.includes(label))?.[0];
  const value = async (which: Which) => {
    const input = "version" in which ? { VersionId: which.version } : { VersionStage: which.label };
    try {
      const output = await client.send(new GetSecretValueCommand({ SecretId, ...input }));
      return output.SecretString ?? Buffer.from(output.SecretBinary ?? []).toString("base64");
    } catch (error) {
      if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
      throw error;
    }
  };
  return {
    labels,
    holder,
    async values() {
      const list = await client.send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true }));
      const ids = (list.Versions ?? []).map((version) => version.VersionId ?? "").sort();
      const entries = await Promise.all(ids.map(async (id) => [id, await value({ version: id })] as const));
      return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
    },
    text: value,
    async put(text, pending) {
      const input = pending ? { ClientRequestToken: pending.token, VersionStages: ["AWSPENDING"] } : {};
      return (await client.send(new PutSecretValueCommand({ SecretId, SecretString: text, ...input }))).VersionId ?? "";
    },
    async move(label, to) {
      const from = await holder(label);
      if (from === undefined && to === undefined) return;
      const input = {
        ...(from === undefined ? {} : { RemoveFromVersionId: from }),
        ...(to ? { MoveToVersionId: to } : {}),
      };
      await client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage: label, ...input }));
    },
    async cancelRotation() {
      await client.send(new CancelRotateSecretCommand({ SecretId }));
    },
  };
}
