import { GetSecretValueCommand, paginateListSecretVersionIds } from "@aws-sdk/client-secrets-manager";
import { RotationError, reasonOf } from "@quarterturn/core";
import { ask } from "./aws.ts";
import type { Context } from "./context.ts";
import type { Secret } from "./secret.ts";

/** The AWSCURRENT value of a secret, known to the redactor from now on. @throws Failure */
export async function readCurrent(context: Context, secretId: string): Promise<string> {
  const command = new GetSecretValueCommand({ SecretId: secretId });
  const { SecretString } = await ask(context, secretId, (options) => context.secretsManager.send(command, options));
  if (SecretString === undefined) throw unreadable(`The value of "${secretId}" is binary, which no rotator here reads`);
  context.redactor.learn(SecretString);
  return SecretString;
}

const unreadable = (what: string, cause?: unknown) =>
  new RotationError("bad-secret", what, "Nobody can say whether it is a login that works.", { cause });

const isOfKey = ({ name, message }: Error) => name === "DecryptionFailure" || /\bKMS\b/i.test(message);

/** Whether a version could not be read since its key is not to be used, by whoever runs this: an application may still read it. */
export const isUndecryptable = (error: unknown): boolean =>
  error instanceof RotationError && error.cause instanceof Error && isOfKey(error.cause);

/**
 * The value of a version, known to the redactor from now on; undefined where it has none yet.
 *
 * @throws RotationError `bad-secret` where this version cannot be read, which says nothing of the others: it is binary, or its key is not to
 *   be used
 * @throws Failure
 */
export async function readVersion(context: Context, secret: Secret, id: string): Promise<string | undefined> {
  const command = new GetSecretValueCommand({ SecretId: secret.arn, VersionId: id });
  const answer = await ask(context, secret.id, (options) =>
    context.secretsManager.send(command, options).catch((error: Error) => {
      if (error.name === "ResourceNotFoundException") return undefined;
      if (!isOfKey(error)) throw error;
      return { undecryptable: error };
    }),
  );
  if (answer === undefined) return undefined;
  if ("undecryptable" in answer) {
    const reason = reasonOf(answer.undecryptable).replace(/\.$/, "");
    throw unreadable(`The value of version ${id} cannot be decrypted (${reason})`, answer.undecryptable);
  }
  if (answer.SecretString === undefined)
    throw unreadable(`The value of version ${id} is binary, which no rotator here reads`);
  context.redactor.learn(answer.SecretString);
  return answer.SecretString;
}

/** A version that the service still keeps. */
export interface KeptVersion {
  readonly id: string;
  readonly labels: readonly string[];
  readonly created?: Date;
}

/** Every version that the service still keeps, those without labels too. @throws Failure */
export async function keptVersions(context: Context, secret: Secret): Promise<readonly KeptVersion[]> {
  const pages = paginateListSecretVersionIds(
    { client: context.secretsManager, pageSize: 100 },
    { SecretId: secret.arn, IncludeDeprecated: true },
  );
  const versions: KeptVersion[] = [];
  for (;;) {
    const { value: page, done } = await ask(context, secret.id, () => pages.next());
    if (done) return versions;
    for (const { VersionId = "", VersionStages = [], CreatedDate } of page.Versions ?? [])
      versions.push({ id: VersionId, labels: VersionStages, ...(CreatedDate && { created: CreatedDate }) });
  }
}
