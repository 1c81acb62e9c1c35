export { documentdb } from "./engine.ts";
export { manifest } from "./manifest.ts";
