/**
 * Why a secret could not be had.
 *
 * - `service`: Secrets Manager, or the way to it, failed; `cause` is the SDK's error
 * - `bad-secret`: a version was read whose value is not what the cache was told to expect
 */
export type SecretCacheErrorCode = "service" | "bad-secret";

/**
 * An error that an operator can act on. Its message names the secret, its staging label and what is wrong, never a value. A value that could
 * not be used leaves no cause either: the errors of parsers and schemas quote what they were given.
 */
export class SecretCacheError extends Error {
  override readonly name = "SecretCacheError";
  readonly code: SecretCacheErrorCode;
  readonly secretId: string;
  readonly versionStage: string;

  constructor(
    code: SecretCacheErrorCode,
    { secretId, versionStage }: SecretName,
    what: string,
    options: { cause?: unknown } = {},
  ) {
    super(`${secretId} (${versionStage}): ${what} [${code}]`, options);
    this.code = code;
    this.secretId = secretId;
    this.versionStage = versionStage;
  }
}

/** Which secret, and which of its versions: the one that has this staging label. */
export interface SecretName {
  readonly secretId: string;
  readonly versionStage: string;
}
