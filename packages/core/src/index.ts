export { apiClientOptions, askApi } from "./ask-api.ts";
export { type Deadline, deadlineOf } from "./deadline.ts";
export { type ErrorCode, type ErrorPlace, RotationError, reasonOf } from "./errors.ts";
export { type Step, steps } from "./event.ts";
export { editJson } from "./json.ts";
export {
  AWSCURRENT,
  AWSPENDING,
  AWSPREVIOUS,
  changesTo,
  type Decision,
  decide,
  type LabelChange,
  type Refusal,
  type RotationState,
  rotationState,
  unfinishedVersion,
  type VersionLabels,
  versionWith,
} from "./labels.ts";
export { type LambdaContext, type RotationHandler, rotationHandler } from "./lambda.ts";
export { jsonLog, type Log, type LogFields } from "./log.ts";
export {
  coreSettingList,
  type Manifest,
  type Permission,
  type RotatorManifest,
  type SecretKey,
  type Setting,
  type Strategy,
} from "./manifest.ts";
export { generatePassword, type PasswordSettings, passwordSettings } from "./password.ts";
export { createRedactor, oneLine, type Redactor } from "./redaction.ts";
export {
  keyOperations,
  logOperations,
  networkInterfaceOperations,
  permissionsOf,
  readKeyOperations,
  secretOperations,
} from "./role.ts";
export type { CurrentAfterSet, RotationContext, RotationValues, Rotator } from "./rotator.ts";
export { jsonFormat, readSecretValue, type SecretFormat, textFormat } from "./secret-value.ts";
export { secretsManagerClient } from "./secrets-manager.ts";
export {
  booleanSetting,
  choiceSetting,
  coreSettings,
  type Environment,
  type LogLevel,
  listSetting,
} from "./settings.ts";
export type { DescribedSecret } from "./store.ts";
export { otherOfPair, pairOf, type UserPair } from "./user-pair.ts";
