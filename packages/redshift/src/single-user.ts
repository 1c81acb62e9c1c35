import { rotationHandler } from "@quarterturn/core";
import { singleUser } from "@quarterturn/database";
import { redshift } from "./engine.ts";
import { redshiftSettings } from "./password.ts";

/** The Lambda handler of the single-user strategy. */
export const handler = rotationHandler((env) => singleUser(redshift(env), redshiftSettings(env)));
