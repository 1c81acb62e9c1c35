import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type LocalOptions, type RotationEvent, startLocal } from "@quarterturn/local";

/** Secrets Manager, as the suite runs it. */
export interface Service extends AsyncDisposable {
  readonly endpoint: LocalEndpoint;
  readonly client: SecretsManagerClient;
  readonly functionArn: string;
  /** What happens when the service invokes the function of a secret, by the secret's ARN. */
  readonly functions: Map<string, (event: RotationEvent) => Promise<void>>;
}

/** What the service does where its documentation does not say, or where it was seen to do both: all of it is played. */
const serviceHabits = {
  /** After an early promotion the steps go on; AWSPENDING stays on the promoted version. */
  usual: {},
  /** A version that became AWSCURRENT before finishSecret ends the rotation. */
  endsEarly: { afterEarlyPromotion: "over" },
  /** AWSPENDING is taken off the promoted version. */
  cleansUp: { promotedPending: "removed" },
} as const satisfies Record<string, LocalOptions>;
export type ServiceHabit = keyof typeof serviceHabits;

export async function startService(habit: ServiceHabit): Promise<Service> {
  const functions: Service["functions"] = new Map();
  const name = "rotator";
  const endpoint = await startLocal({
    functions: {
      [name]: async (event) => {
        const run = functions.get(event.SecretId);
        if (!run) throw new Error(`No case of the suite rotates ${event.SecretId}`);
        await run(event);
      },
    },
    rotationRetry: { attempts: 2, delayMs: 5 },
    ...serviceHabits[habit],
  });
  const client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: endpoint.region,
    credentials: { accessKeyId: "operator", secretAccessKey: "operator" },
  });
  return {
    endpoint,
    client,
    functionArn: endpoint.functionArn(name),
    functions,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await endpoint.close();
    },
  };
}
