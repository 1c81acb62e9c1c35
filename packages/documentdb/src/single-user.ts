import { rotationHandler } from "@quarterturn/core";
import { databaseSettings, singleUser } from "@quarterturn/database";
import { documentdb } from "./engine.ts";
import { manifest } from "./manifest.ts";

/** The Lambda handler of the single-user strategy. */
export const handler = rotationHandler((env) => singleUser(documentdb, databaseSettings(env, manifest)));
