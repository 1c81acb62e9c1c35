export { redshiftDirectory } from "./directory.ts";
export { redshift } from "./engine.ts";
export { manifest } from "./manifest.ts";
export { redshiftSettings } from "./password.ts";
