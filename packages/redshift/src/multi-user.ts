import { rotationHandler } from "@quarterturn/core";
import { multiUser } from "@quarterturn/database";
import { redshiftDirectory } from "./directory.ts";
import { redshift } from "./engine.ts";
import { redshiftSettings } from "./password.ts";

/** The Lambda handler of the multi-user (alternating users) strategy. */
export const handler = rotationHandler((env) => multiUser(redshift(env), redshiftDirectory, redshiftSettings(env)));
