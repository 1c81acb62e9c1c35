export type { ConformanceCase } from "./conformance-case.ts";
export { conformanceCases } from "./conformance-cases.ts";
export type { ConformanceOptions, Harness, Transcript } from "./harness.ts";
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
