export { adminLogin } from "./admin-secret.ts";
export type { Engine, EngineContext, Login, Pair, Session } from "./engine.ts";
export { multiUser } from "./multi-user.ts";
export { type DatabaseChanges, type DatabaseSecret, databaseSecretFormat, databaseSecretSchema } from "./secret.ts";
export { type DatabaseSettings, databaseSettingList, databaseSettings } from "./settings.ts";
export { loginOf, singleUser } from "./single-user.ts";
export { addressOf, isSameServer, requireSameTarget } from "./target.ts";
export { isUnknownAuthority, noTlsError, sslChoice, type TlsPolicy, tlsError, tlsPolicy } from "./tls.ts";
export { otherOfPair, pairOf } from "./twin.ts";
