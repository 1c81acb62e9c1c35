export { pairOf } from "@quarterturn/core";
export { adminLogin, adminSecretOperations } from "./admin-secret.ts";
export { connectionEndedError, noAnswerError } from "./connection-error.ts";
export type { Engine, EngineContext, IsOurs, Login, Obstacle, Pair, PairState, Session } from "./engine.ts";
export { multiUser } from "./multi-user.ts";
export { rdsDirectory, rdsPermissions } from "./rds-directory.ts";
export { type DatabaseChanges, type DatabaseSecret, databaseSecretSchema } from "./secret.ts";
export type { Server, ServerDirectory } from "./server-directory.ts";
export { type DatabaseSettings, databaseSettingList, databaseSettings } from "./settings.ts";
export { loginOf, singleUser } from "./single-user.ts";
export { addressOf, isSameServer, whereOf } from "./target.ts";
export {
  issuerShownBy,
  isUnknownAuthority,
  noTlsError,
  type TlsPolicy,
  tlsError,
} from "./tls.ts";
