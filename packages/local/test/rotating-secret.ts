import type { LocalOptions, RotationEvent } from "../src/index.ts";
import { plusFunction, type Started, start, token } from "./endpoint.ts";

type Handler = (event: RotationEvent) => Promise<unknown>;

const NO_RETRY = { attempts: 0, delayMs: 0 };

/** An endpoint with a secret of value "v", whose function f is `handler` around, or instead of, the normal one. */
export async function withSecret(
  options: LocalOptions = {},
  handler: (event: RotationEvent, started: Started, normal: Handler) => Promise<unknown> = (event, _started, normal) =>
    normal(event),
) {
  const events: RotationEvent[] = [];
  const started: Started = await start({
    rotationRetry: NO_RETRY,
    ...options,
    functions: {
      f: (event) => {
        events.push(event);
        return handler(
          event,
          started,
          plusFunction(() => started.sm),
        );
      },
    },
  });
  const { local, sm } = started;
  await sm.createSecret({ Name: "a", SecretString: "v", ClientRequestToken: token("1") });
  const rotate = (more: object = {}) =>
    sm.rotateSecret({ SecretId: "a", RotationLambdaARN: local.functionArn("f"), ...more });
  const labels = async () => (await sm.describeSecret({ SecretId: "a" })).VersionIdsToStages;
  const value = async () => (await sm.getSecretValue({ SecretId: "a" })).SecretString;
  return { local, sm, events, rotate, labels, value };
}

/** The course of a rotation without a failure. */
export const SUCCESS = [
  "RotationStarted",
  "createSecret succeeded",
  "setSecret succeeded",
  "testSecret succeeded",
  "finishSecret succeeded",
  "RotationSucceeded",
];

export const IN_PROGRESS = {
  name: "InvalidRequestException",
  message: "A previous rotation isn't complete. That rotation will be reattempted.",
};
