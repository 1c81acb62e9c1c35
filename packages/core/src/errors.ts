import type { Step } from "./event.ts";

/**
 * Why a step could not be done. docs/errors.md says what to look at for each, and shows messages.
 *
 * - `bad-event`: what invoked the function was not Secrets Manager, or the event is malformed
 * - `bad-setting`: an environment variable of the function has a value that means nothing
 * - `bad-secret`: the secret's value cannot be used as it is written
 * - `not-enabled`: rotation of the secret was cancelled, or never configured
 * - `not-staged`: the event's token names no version that is waiting to be rotated in
 * - `superseded`: labels were moved by somebody else while this rotation ran
 * - `wrong-target`: the versions, or the admin secret, speak of different users, hosts or engines
 * - `credentials-rejected`: the database was reached and refused the password
 * - `unreachable`: no connection came about: name, route, security group, a closed port
 * - `tls`: a connection came about and could not be verified or encrypted
 * - `timeout`: no answer within this call's share of the invocation's time
 * - `privilege`: somebody lacks a right: the function's role, the database user or the admin
 * - `replica-behind`: a replica of the secret is not in sync
 * - `unsupported`: this server cannot do what the strategy needs
 * - `service`: Secrets Manager, another AWS service, or the service that a key is for, answered with an error of its own
 * - `busy`: the database was reached and takes no login now: too many connections, starting, shutting down
 * - `database`: the database answered with an error that has no more precise code
 * - `unexpected`: none of these; a bug
 */
export type ErrorCode =
  | "bad-event"
  | "bad-setting"
  | "bad-secret"
  | "not-enabled"
  | "not-staged"
  | "superseded"
  | "wrong-target"
  | "credentials-rejected"
  | "unreachable"
  | "tls"
  | "timeout"
  | "privilege"
  | "replica-behind"
  | "unsupported"
  | "service"
  | "busy"
  | "database"
  | "unexpected";

/** Where an error happened; the runner adds it, so that no rotator has to. */
export interface ErrorPlace {
  readonly step: Step;
  readonly secretId: string;
}

/**
 * An error that an operator can act on: what happened, and what to do next.
 *
 * The message never holds a secret value: writers of rotators put names, hosts and codes into it, and the Lambda adapter passes it
 * through redaction before anything leaves the process.
 */
export class RotationError extends Error {
  override readonly name = "RotationError";
  readonly code: ErrorCode;
  /** What happened, one sentence without its full stop. */
  readonly what: string;
  /** What to do next, one or more sentences. */
  readonly advice: string;
  readonly place: ErrorPlace | undefined;

  constructor(code: ErrorCode, what: string, advice: string, options: { cause?: unknown; place?: ErrorPlace } = {}) {
    const where = options.place ? `${options.place.step} of ${options.place.secretId}: ` : "";
    super(`${where}${what}. ${advice} [${code}]`, "cause" in options ? { cause: options.cause } : {});
    this.code = code;
    this.what = what;
    this.advice = advice;
    this.place = options.place;
  }

  /** The same error, told with its place. */
  at(place: ErrorPlace): RotationError {
    return this.place ? this : new RotationError(this.code, this.what, this.advice, { cause: this.cause, place });
  }
}

/** What was thrown, as a RotationError: `unexpected` where it is none, with the original as its cause. */
export function asRotationError(thrown: unknown): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const advice = "Nobody foresaw this: please report it as a bug, with the log of this step.";
  return new RotationError("unexpected", reasonOf(thrown), advice, { cause: thrown });
}

/** The text of anything that was thrown, for people; for an error without a message its code or name. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return thrown.errors.map(reasonOf).join("; ");
  if (thrown instanceof Error) return thrown.message || (thrown as NodeJS.ErrnoException).code || thrown.name;
  return String(thrown);
}
