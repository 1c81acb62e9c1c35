import { rotationHandler } from "@quarterturn/core";
import { databaseSettings, multiUser, rdsDirectory } from "@quarterturn/database";
import { postgres } from "./engine.ts";
import { manifest } from "./manifest.ts";

/** The Lambda handler of the multi-user (alternating users) strategy. */
export const handler = rotationHandler((env) =>
  multiUser(postgres(env), rdsDirectory(manifest.engines), databaseSettings(env, manifest)),
);
