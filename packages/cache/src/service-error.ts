import { SecretCacheError, type SecretName } from "./errors.ts";

/** What a failed call of GetSecretValue means, and what to do about it. */
export function serviceError(name: SecretName, error: unknown): SecretCacheError {
  const { name: kind, message } = error instanceof Error ? error : new Error(String(error));
  if (kind === "SyntaxError") {
    // The answer was cut off or no JSON, and the parser's error quotes it: no cause, and no message.
    return new SecretCacheError("service", name, "GetSecretValue was answered with something that is not JSON");
  }
  const [firstLine = ""] = message.split("\n");
  const what = `GetSecretValue failed: ${kind}: ${firstLine.replace(/\.$/, "")}${advice.get(kind) ?? ""}`;
  return new SecretCacheError("service", name, what, { cause: error });
}

/** The call was ended by the cache's own limit, whatever it was waiting for: credentials are fetched before Secrets Manager is. */
export function timeoutError(name: SecretName, error: unknown, timeoutMs: number): SecretCacheError {
  const what = `GetSecretValue was not answered within ${timeoutMs} ms. Look at the way to it (a network without a way out needs a VPC endpoint of Secrets Manager) and to where the credentials come from`;
  return new SecretCacheError("service", name, what, { cause: error });
}

const advice: ReadonlyMap<string, string> = new Map([
  [
    "AccessDeniedException",
    ". Allow secretsmanager:GetSecretValue on it, and kms:Decrypt where it has a key of its own",
  ],
  ["ResourceNotFoundException", ". Look at its name, the staging label, the region and the account"],
  ["ExpiredTokenException", ". Log in to AWS again"],
  ["CredentialsProviderError", ". Give the process a role or AWS credentials"],
]);
