import * as v from "valibot";
import { RotationError } from "./errors.ts";
import { validate } from "./validation.ts";

/** The four calls that Secrets Manager makes, in this order. */
export const steps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type Step = (typeof steps)[number];

/**
 * What Secrets Manager sends to a rotation function.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export interface RotationEvent {
  readonly step: Step;
  /** The secret's ARN. */
  readonly secretId: string;
  /** ClientRequestToken: the id of the version that is to become AWSCURRENT. */
  readonly token: string;
  /** Proves to PutSecretValue that the service itself runs this rotation; sensitive. */
  readonly rotationToken?: string;
}

const text = (name: string) => v.pipe(v.string(`${name} must be text`), v.nonEmpty(`${name} is empty`));

const eventSchema = v.object(
  {
    Step: v.picklist(steps, `Step must be one of ${steps.join(", ")}`),
    SecretId: text("SecretId"),
    ClientRequestToken: text("ClientRequestToken"),
    RotationToken: v.optional(text("RotationToken")),
  },
  (issue) => (issue.path ? `${String(issue.path.at(-1)?.key)} is missing` : "it must be an object"),
);

/** Reads the event; keys that are not known are ignored, since the service may add some. @throws RotationError `bad-event` */
export async function parseEvent(input: unknown): Promise<RotationEvent> {
  const event = await validate(eventSchema, input, (issues) => {
    throw new RotationError(
      "bad-event",
      `The event is not a rotation event (${issues})`,
      "Only Secrets Manager should invoke this function; for a trial send Step, SecretId and ClientRequestToken, or use the local endpoint.",
    );
  });
  return {
    step: event.Step,
    secretId: event.SecretId,
    token: event.ClientRequestToken,
    ...(event.RotationToken === undefined ? {} : { rotationToken: event.RotationToken }),
  };
}
