export { type HttpRequest, httpJson } from "./http.ts";
export { multiUser, multiUserSettingList, type UserService } from "./multi-user.ts";
export type { RotatedSecret } from "./secret.ts";
export { type IssuedKey, type KeyService, singleUser, singleUserSettingList } from "./single-user.ts";
