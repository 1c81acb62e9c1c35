import { rotationHandler } from "@quarterturn/core";
import { databaseSettings, multiUser, rdsDirectory } from "@quarterturn/database";
import { documentdb } from "./engine.ts";
import { manifest } from "./manifest.ts";

/** The Lambda handler of the multi-user (alternating users) strategy. */
export const handler = rotationHandler((env) =>
  multiUser(documentdb, rdsDirectory(["docdb"]), databaseSettings(env, manifest)),
);
