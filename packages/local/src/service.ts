import type { RotationEngine } from "./rotation.ts";
import type { State } from "./state.ts";

/** What the operations work on. */
export interface Service {
  readonly state: State;
  readonly region: string;
  readonly accountId: string;
  readonly rotations: RotationEngine;
  /** The ARN of a function that was registered at the start, by its ARN or name. */
  registeredFunctionArn(arnOrName: string): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}
