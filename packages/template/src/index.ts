export { type HttpRequest, httpJson } from "./http.ts";
export { multiUser, type UserService } from "./multi-user.ts";
export type { RotatedSecret } from "./secret.ts";
export { multiUserSettingList, settingList, singleUserSettingList } from "./settings.ts";
export { type IssuedKey, type KeyService, singleUser } from "./single-user.ts";
