import { RotationError } from "@quarterturn/core";
import type { Obstacle } from "@quarterturn/database";
import { adviceOn } from "../failure.ts";

/** What to do about it, to a person at a shell. */
export const adviceIn = (obstacle: Obstacle): string =>
  obstacle instanceof RotationError ? adviceOn(obstacle) : obstacle.advice;
