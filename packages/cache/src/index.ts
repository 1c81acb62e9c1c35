export { type ConnectOptions, connectWithSecret } from "./connect-with-secret.ts";
export { SecretCacheError, type SecretCacheErrorCode } from "./errors.ts";
export type { FetchReason, SecretCacheEvent } from "./events.ts";
export type { PauseLimits } from "./pause.ts";
export { isRefusedLogin } from "./refused-login.ts";
export {
  createSecretCache,
  type GetOptions,
  type RefreshOptions,
  type SecretCache,
  type SecretCacheOptions,
} from "./secret-cache.ts";
export type { SecretFormat } from "./secret-value.ts";
