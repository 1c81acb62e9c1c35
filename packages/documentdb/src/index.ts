export { documentdbDirectory } from "./directory.ts";
export { documentdb } from "./engine.ts";
export { manifest } from "./manifest.ts";
