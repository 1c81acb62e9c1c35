import { UpdateSecretVersionStageCommand } from "@aws-sdk/client-secrets-manager";
import type { LabelChange } from "@quarterturn/core";
import { ask } from "./aws.ts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import type { Secret } from "./secret.ts";

/** Changes labels, each as a compare-and-swap. @throws Failure, also where somebody else has moved a label since it was looked at */
export async function changeLabels(context: Context, secret: Secret, changes: readonly LabelChange[]): Promise<void> {
  for (const { label, to, from } of changes) {
    const command = new UpdateSecretVersionStageCommand({
      SecretId: secret.arn,
      VersionStage: label,
      MoveToVersionId: to,
      RemoveFromVersionId: from,
    });
    await ask(context, secret.name, (options) =>
      context.secretsManager.send(command, options).catch((error: Error) => {
        if (error.name !== "InvalidParameterException") throw error;
        throw new Failure(
          "refused",
          `${label} of "${secret.name}" is not where it was a moment ago, so it was left there: ${error.message.replace(/\.$/, "")}`,
          `See where it is now: ${context.next("status", secret.name)}`,
          { cause: error },
        );
      }),
    );
  }
}

/** A change in words. */
export function planOf({ label, to, from }: LabelChange): string {
  if (to === undefined) return `${label} is taken off version ${from}`;
  return from === undefined ? `${label} is given to version ${to}` : `${label} moves to version ${to} from ${from}`;
}
