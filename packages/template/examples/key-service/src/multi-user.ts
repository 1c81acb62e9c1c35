import { rotationHandler } from "@quarterturn/core";
import { multiUser } from "@quarterturn/template";
import { users } from "./users.ts";

/** The Lambda handler of the multi-user (alternating users) strategy. */
export const handler = rotationHandler((env) => multiUser(users, env));
