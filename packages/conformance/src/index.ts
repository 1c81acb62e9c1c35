export type { ConformanceOptions } from "./harness.ts";
export { rotatorConformance } from "./rotator-conformance.ts";
export type {
  Account,
  AccountWish,
  Address,
  FaultyServer,
  LoginResult,
  SecretObject,
  Strategy,
  Target,
  TlsFault,
} from "./target.ts";
