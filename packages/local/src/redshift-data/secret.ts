import * as v from "valibot";
import { validationFailed } from "../service-error.ts";

/** What of a secret the Data API looks at. */
export interface SecretOfDatabase {
  readonly username: string;
  readonly password: string;
  readonly dbClusterIdentifier?: string | undefined;
}

const name = v.pipe(v.string(), v.minLength(1));

const secretSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ username: name, password: name, dbClusterIdentifier: v.optional(v.string()) }),
);

/**
 * Reads AWSCURRENT of a secret from Secrets Manager.
 * @param endpoint the URL of Secrets Manager
 * @throws ValidationException as the service does where the secret cannot be used
 */
export async function readSecret(endpoint: string, secretId: string): Promise<SecretOfDatabase> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" },
    body: JSON.stringify({ SecretId: secretId }),
  });
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  if (!response.ok) throw validationFailed(String(answer.Message ?? answer.message));
  const secret = v.safeParse(secretSchema, answer.SecretString);
  if (!secret.success) throw validationFailed("username and password in secret cannot be empty");
  return secret.output;
}
