import { arnAndName } from "./answers.ts";
import { functionNotInvokable, invalidParameter, invalidRequest } from "./errors.ts";
import type { Input } from "./input.ts";
import { planNextRotation } from "./rotation.ts";
import { checkRules } from "./schedule.ts";
import type { Service } from "./service.ts";
import { type RotationRules, type RotationSettings, requireUsableSecret, type Secret } from "./state.ts";
import { attachLabel, holderOf, rotationInProgress } from "./versions-and-labels.ts";

/**
 * Sets the rotation up where the call says so, makes the pending version without a value, and answers; the function
 * runs afterwards (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html).
 */
export function rotateSecret(service: Service, input: Input<"RotateSecret">) {
  const token = input.ClientRequestToken;
  if (token === undefined) {
    throw invalidParameter("You must provide a ClientRequestToken value. We recommend a UUID-type value.");
  }
  const secret = requireUsableSecret(service.state, input.SecretId);
  const settings = settingsAfter(service, secret, input);
  if (secret.versions.some(({ id }) => id === token)) {
    // A client's retry: the rotation to this version has begun already.
    return { ...arnAndName(secret), VersionId: token };
  }
  refuseIfInProgress(service, secret);
  secret.rotationSettings = settings;
  secret.changedAt = service.now();
  planNextRotation(secret, service.now());
  if (input.RotateImmediately === false) {
    startTest(service, secret, token);
  } else {
    startRotation(service, secret, token);
  }
  return { ...arnAndName(secret), VersionId: token };
}

/** Idempotent. A step that is running is not stopped, and its version may stay AWSPENDING. */
export function cancelRotateSecret(service: Service, input: Input<"CancelRotateSecret">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  const settings = secret.rotationSettings;
  if (settings === undefined) throw noFunction();
  const pending = rotationInProgress(secret.versions) ? holderOf(secret.versions, "AWSPENDING") : undefined;
  secret.rotationSettings = { ...settings, enabled: false };
  service.rotations.cancel(secret);
  secret.changedAt = service.now();
  return { ...arnAndName(secret), VersionId: pending?.id };
}

/** Rotates what is due: a new version, or another try at one that is still pending. */
export function rotateWhenDue(service: Service, secret: Secret, newVersionId: () => string): void {
  const settings = secret.rotationSettings;
  const opensAt = settings?.nextWindow?.opensAt ?? Number.POSITIVE_INFINITY;
  if (settings?.enabled !== true || secret.deletesAt !== undefined || opensAt > service.now()) return;
  planNextRotation(secret, service.now());
  if (isInProgress(secret)) reattempt(service, secret);
  else startRotation(service, secret, newVersionId());
}

function startRotation(service: Service, secret: Secret, versionId: string): void {
  const placeholder = { id: versionId, labels: [], createdAt: service.now() };
  secret.versions = attachLabel([...secret.versions, placeholder], "AWSPENDING", versionId);
  secret.changedAt = service.now();
  service.rotations.start(secret, versionId, "rotation");
}

/** The function's testSecret is tried with a version that has the current value, and is removed afterwards. */
function startTest(service: Service, secret: Secret, versionId: string): void {
  const current = holderOf(secret.versions, "AWSCURRENT");
  const copy = {
    id: versionId,
    labels: [],
    createdAt: service.now(),
    ...(current?.value !== undefined && { value: current.value }),
  };
  secret.versions = attachLabel([...secret.versions, copy], "AWSPENDING", versionId);
  service.rotations.start(secret, versionId, "test");
}

function settingsAfter(service: Service, secret: Secret, input: Input<"RotateSecret">): RotationSettings {
  const asked = input.RotationLambdaARN || secret.rotationSettings?.functionArn;
  if (asked === undefined) throw noFunction();
  const functionArn = service.registeredFunctionArn(asked);
  if (functionArn === undefined) throw functionNotInvokable();
  const rules = input.RotationRules ? withoutUndefined(input.RotationRules) : secret.rotationSettings?.rules;
  if (rules !== undefined) checkRules(rules, service.now());
  return { enabled: true, functionArn, ...(rules !== undefined && { rules }) };
}

function refuseIfInProgress(service: Service, secret: Secret): void {
  if (!isInProgress(secret)) return;
  reattempt(service, secret);
  throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
}

function isInProgress(secret: Secret): boolean {
  return rotationInProgress(secret.versions) || secret.rotation?.givenUp === false;
}

function reattempt(service: Service, secret: Secret): void {
  const pending = holderOf(secret.versions, "AWSPENDING");
  if (pending !== undefined && secret.rotationSettings?.enabled === true) {
    service.rotations.reattempt(secret, pending.id);
  }
}

function withoutUndefined(rules: NonNullable<Input<"RotateSecret">["RotationRules"]>): RotationRules {
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
}

const noFunction = () => invalidRequest("No Lambda rotation function ARN is associated with this secret.");
