import { rotationHandler } from "@quarterturn/core";
import { singleUser } from "@quarterturn/template";
import { keys } from "./keys.ts";

/** The Lambda handler of the single-user strategy. */
export const handler = rotationHandler((env) => singleUser(keys(env), env));
