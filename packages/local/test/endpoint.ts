import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { onTestFinished } from "vitest";
import {
  type LocalEndpoint,
  type LocalEvent,
  type LocalOptions,
  type RotationEvent,
  startLocal,
} from "../src/index.ts";

export interface Started {
  readonly local: LocalEndpoint;
  readonly sm: SecretsManager;
}

/** An endpoint for one test, with the AWS SDK's client for it. */
export async function start(options: LocalOptions = {}): Promise<Started> {
  const local = await startLocal(options);
  const sm = clientOf(local);
  onTestFinished(async () => {
    sm.destroy();
    await local.close();
  });
  return { local, sm };
}

export function clientOf({ url, region }: LocalEndpoint): SecretsManager {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  return new SecretsManager({ endpoint: url, region, credentials, maxAttempts: 1 });
}

/** A rotation function whose new value is the old one with a + behind it. */
export function plusFunction(sm: () => SecretsManager): (event: RotationEvent) => Promise<void> {
  return async ({ Step, SecretId, ClientRequestToken, RotationToken }) => {
    if (Step === "createSecret") await stage(sm(), { SecretId, ClientRequestToken, RotationToken });
    if (Step === "finishSecret") await promote(sm(), SecretId, ClientRequestToken);
  };
}

/** createSecret: stages the current value with a + behind it. */
export async function stage(
  sm: SecretsManager,
  { SecretId, ClientRequestToken, RotationToken }: Omit<RotationEvent, "Step">,
): Promise<void> {
  const { SecretString } = await sm.getSecretValue({ SecretId });
  const value = { SecretString: `${SecretString}+`, VersionStages: ["AWSPENDING"] };
  await sm.putSecretValue({ SecretId, ClientRequestToken, RotationToken, ...value });
}

/** finishSecret: moves AWSCURRENT; does nothing if it is there already. */
export async function promote(sm: SecretsManager, SecretId: string, versionId: string): Promise<void> {
  const current = await versionWith(sm, SecretId, "AWSCURRENT");
  if (current === versionId) return;
  await sm.updateSecretVersionStage({
    SecretId,
    VersionStage: "AWSCURRENT",
    MoveToVersionId: versionId,
    RemoveFromVersionId: current,
  });
}

export async function versionWith(sm: SecretsManager, SecretId: string, label: string): Promise<string | undefined> {
  const { VersionIdsToStages = {} } = await sm.describeSecret({ SecretId });
  return Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes(label));
}

/** The course of a rotation as the log shows it: invocations by step and outcome, and the service's own events. */
export function course(events: readonly LocalEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === "api-call") return [];
    return [event.kind === "invocation" ? `${event.name} ${event.outcome}` : event.name];
  });
}

/** A ClientRequestToken that is easy to tell from others. */
export const token = (letter: string) => letter.repeat(36);
