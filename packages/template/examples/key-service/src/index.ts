export { keys } from "./keys.ts";
export { manifest } from "./manifest.ts";
export type { Fields } from "./secret.ts";
export { users } from "./users.ts";
