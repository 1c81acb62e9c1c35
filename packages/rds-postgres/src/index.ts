export { postgres } from "./engine.ts";
export { manifest } from "./manifest.ts";
export { type PasswordEncryption, passwordVerifier } from "./verifier.ts";
