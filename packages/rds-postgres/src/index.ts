export { postgres } from "./engine.ts";
export { manifest } from "./manifest.ts";
