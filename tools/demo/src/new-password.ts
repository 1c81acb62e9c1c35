import { randomBytes } from "node:crypto";

/** A password as people make one up before anything rotates it. */
export const newPassword = (): string => randomBytes(16).toString("base64url");
