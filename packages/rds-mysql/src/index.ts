export { mysql } from "./engine.ts";
export { manifest } from "./manifest.ts";
