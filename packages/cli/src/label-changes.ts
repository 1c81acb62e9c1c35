import { UpdateSecretVersionStageCommand } from "@aws-sdk/client-secrets-manager";
import { type LabelChange, versionWith } from "@quarterturn/core";
import { ask } from "./aws.ts";
import { type Context, uninterrupted } from "./context.ts";
import { after, Failure } from "./failure.ts";
import { describe, type Secret } from "./secret.ts";

/**
 * Changes labels, each as a compare-and-swap; Ctrl-C does not leave it half done.
 *
 * @throws Failure that says which were changed, also where somebody else has moved a label since it was looked at
 */
export async function changeLabels(context: Context, secret: Secret, changes: readonly LabelChange[]): Promise<void> {
  using here = uninterrupted(context);
  for (const [i, { label, to, from }] of changes.entries()) {
    const command = new UpdateSecretVersionStageCommand({
      SecretId: secret.arn,
      VersionStage: label,
      MoveToVersionId: to,
      RemoveFromVersionId: from,
    });
    await after(changes.slice(0, i).map(doneOf).join(". "), () =>
      ask(here, secret.id, (options) =>
        here.secretsManager.send(command, options).catch(async (error: Error) => {
          const now = versionWith((await describe(here, secret.arn)).versions, label);
          // The answer was lost, and this is what the second try was told.
          if (now === to) return;
          if (error.name !== "InvalidParameterException" || now === from) throw error;
          throw new Failure(
            "refused",
            `${label} of "${secret.name}" is on ${now === undefined ? "no version" : `version ${now}`} by now, and was left so`,
            `See how the secret is: ${context.next("status", secret.id)}`,
            { cause: error },
          );
        }),
      ),
    );
  }
}

/** A change in words. */
export function planOf({ label, to, from }: LabelChange): string {
  if (to === undefined) return `${label} is taken off version ${from}`;
  return from === undefined ? `${label} is given to version ${to}` : `${label} moves to version ${to} from ${from}`;
}

/** The same when it was done. */
export const doneOf = (change: LabelChange): string =>
  planOf(change).replace(" is ", " was ").replace(" moves ", " was moved ");
