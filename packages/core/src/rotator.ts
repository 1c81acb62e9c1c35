import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Deadline } from "./deadline.ts";
import type { Log } from "./log.ts";
import type { SecretFormat } from "./secret-value.ts";
import type { DescribedSecret } from "./store.ts";

/** What a rotator may use besides the values that it is given. */
export interface RotationContext {
  /** The secret that is rotated: the SecretId of the event, an ARN. */
  readonly secretId: string;
  /** The pending version's id: the ClientRequestToken of the event. */
  readonly token: string;
  readonly deadline: Deadline;
  readonly log: Log;
  /** The AWSCURRENT text of another secret, e.g. an admin secret. @throws RotationError */
  readSecret(secretId: string): Promise<string>;
  /** The tags and the key of a secret. @throws RotationError */
  describeSecret(secretId: string): Promise<Pick<DescribedSecret, "tags" | "kmsKeyId">>;
  /**
   * Before a change that no server would refuse to a step that comes late: whether the version is the pending one still, so that a
   * rotation that has taken this one's place is not undone. The service is asked only where the step began longer ago than that, so that a
   * step that was not held up asks nothing.
   *
   * @param milliseconds two seconds if absent
   * @throws RotationError `not-staged` or `superseded`
   */
  requirePending(milliseconds?: number): Promise<void>;
}

/** The values that setSecret works with. */
export interface RotationValues<S> {
  readonly current: S;
  readonly pending: S;
  /** AWSPREVIOUS, read only when asked for; undefined where there is none. */
  previous(): Promise<S | undefined>;
}

/** Whether AWSCURRENT's credentials still log in after `set`: `valid` with two users or two passwords, `refused` with one. */
export type CurrentAfterSet = "valid" | "refused";

/**
 * Creates, sets and tests the credentials of one kind of secret. Core owns the labels and finishSecret; a rotator sees values only.
 *
 * Every method may be called again after it was killed at any point, and twice at the same time; it must converge. What cannot be done
 * is thrown as a RotationError.
 *
 * @typeParam S the secret's value, as the schema gives it
 * @typeParam Changes what `create` returns: for the JSON format the keys that change, for plain text the next text
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export interface Rotator<S, Changes = Partial<S>> {
  readonly schema: StandardSchemaV1<unknown, S>;
  readonly format: SecretFormat<Changes>;
  /** What the next version changes. Nothing outside may depend on it yet: its result is dropped where an earlier try wrote a version, or it cannot be stored. */
  create(current: S, context: RotationContext): Promise<Changes>;
  /**
   * Takes back what `create` did outside, where its result was certainly not stored: revokes a key that was issued. A failure is logged
   * and undoes nothing; a try that is killed after `create`, or is never told whether its result was stored, does not come here, so
   * `retire` must also find what such a try left.
   *
   * @param unused what `create` returned
   */
  discard?(unused: Changes, current: S, context: RotationContext): Promise<void>;
  /**
   * Makes the pending credentials valid. Refuses, before anything is touched, a pending value that is not the current one's successor.
   *
   * @returns what AWSCURRENT's credentials, which the application uses, are worth now; where they are refused, EARLY_PROMOTION shortens
   *   the time until the application gets the new ones
   */
  set(values: RotationValues<S>, context: RotationContext): Promise<CurrentAfterSet>;
  /**
   * Uses the pending credentials as an application would; changes nothing. Also called alone, with credentials that are AWSCURRENT's
   * (RotateSecret with RotateImmediately=false).
   */
  test(pending: S, context: RotationContext): Promise<void>;
  /**
   * After AWSCURRENT has moved: ends what the previous credentials still may do. A failure is logged and undoes nothing. Called by every
   * finishSecret while `current` is AWSCURRENT, so that a killed one's retry ends them; not once a later rotation has moved it on.
   */
  retire?(values: { readonly current: S; readonly previous: S }, context: RotationContext): Promise<void>;
}
