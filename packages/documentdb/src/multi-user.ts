import { rotationHandler } from "@quarterturn/core";
import { databaseSettings, multiUser } from "@quarterturn/database";
import { documentdbDirectory } from "./directory.ts";
import { documentdb } from "./engine.ts";
import { manifest } from "./manifest.ts";

/** The Lambda handler of the multi-user (alternating users) strategy. */
export const handler = rotationHandler((env) =>
  multiUser(documentdb, documentdbDirectory, databaseSettings(env, manifest)),
);
