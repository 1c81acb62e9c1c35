import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateSecretCommand, DeleteSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { RotationError, reasonOf } from "@quarterturn/core";
import type { EngineContext, Login } from "@quarterturn/database";
import { apiError } from "./data-api-error.ts";
import { PROBE_PREFIX } from "./manifest.ts";
import type { Place } from "./place.ts";

/**
 * The one name of the probes that a function makes of a secret. A run that was killed leaves its probe under it, and the next one finds that
 * there, of whatever rotation it was, without listing secrets.
 *
 * @param functionName absent outside Lambda: the name is then one to which no function's role has rights
 */
export function probeName(secretId: string, functionName?: string): string {
  const hash = createHash("sha256").update(secretId).digest("hex").slice(0, 40);
  return functionName ? `${PROBE_PREFIX}${functionName}/${hash}` : `${PROBE_PREFIX}${hash}`;
}

/** A secret that lives while its credentials are tried, since the Data API takes a password only from a secret's AWSCURRENT. */
export interface ProbeSecret {
  /** The whole ARN: a later secret of this name has another, so nobody's statements use another's password. */
  readonly arn: string;
  /** Deletes it without recovery. Idempotent. @throws RotationError: the next login by a probe, which uses the same name, deletes it */
  remove(): Promise<void>;
}

/**
 * Puts a login's name and password into a new probe secret, encrypted with the key of the rotated one. What another run has left or has
 * there at this moment is deleted; that one notices and makes its probe again.
 *
 * @param name of `probeName`
 * @throws RotationError `privilege`, `timeout`, `unreachable` or `service`
 */
export async function createProbeSecret(
  client: SecretsManagerClient,
  name: string,
  login: Login,
  place: Place,
  context: EngineContext,
  where: string,
): Promise<ProbeSecret> {
  const { secretId, deadline, log } = context;
  const { kmsKeyId } = await context.describeSecret(secretId);
  const value = {
    engine: "redshift",
    host: login.host,
    username: login.username,
    password: login.password,
    ...("ClusterIdentifier" in place ? { dbClusterIdentifier: place.ClusterIdentifier } : {}),
  };
  const input = {
    Name: name,
    Description:
      `Lives for seconds while credentials of ${secretId} are tried. If it is older, it can be deleted.`.slice(
        0,
        2_048,
      ),
    SecretString: JSON.stringify(value),
    ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }),
  };
  const end = performance.now() + deadline.share();
  const signal = () => ({ abortSignal: AbortSignal.timeout(Math.max(1, Math.ceil(end - performance.now()))) });

  for (let attempt = 0; ; attempt++) {
    try {
      const { ARN: arn = name } = await client.send(new CreateSecretCommand(input), signal());
      return { arn, remove: () => remove(arn) };
    } catch (error) {
      if (!isNameTaken(error)) {
        // It may have been made although no answer came.
        await removeAnyway({ remove: () => remove(name) }, log);
        throw apiError(error, "secretsmanager:CreateSecret", where);
      }
      if (end - performance.now() < 2 * pause(attempt)) throw stillThere(name, where, error);
      await remove(name, signal());
      await sleep(pause(attempt) * (0.5 + Math.random()));
    }
  }

  async function remove(id: string, options = { abortSignal: AbortSignal.timeout(deadline.share()) }): Promise<void> {
    try {
      await client.send(new DeleteSecretCommand({ SecretId: id, ForceDeleteWithoutRecovery: true }), options);
    } catch (error) {
      throw apiError(error, "secretsmanager:DeleteSecret", `${where}, probe secret ${id}`);
    }
  }
}

/** Deletes a probe where another error is on its way to the operator. */
export async function removeAnyway(probe: Pick<ProbeSecret, "remove">, log: EngineContext["log"]): Promise<void> {
  try {
    await probe.remove();
  } catch (error) {
    log.error("A probe secret could not be deleted: the next setSecret or testSecret of its rotated secret does it", {
      reason: reasonOf(error),
    });
  }
}

/**
 * A probe of this name is there, or is being deleted: "there might be a short delay before the secret is permanently deleted ... use
 * appropriate back off and retry logic" (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html).
 */
function isNameTaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === "ResourceExistsException" ||
    (error.name === "InvalidRequestException" && /scheduled for deletion/.test(error.message))
  );
}

/** Milliseconds: 20, 40, 80 ... 1280. */
const pause = (attempt: number) => 20 * 2 ** Math.min(attempt, 6);

function stillThere(name: string, where: string, cause: unknown): RotationError {
  return new RotationError(
    "service",
    `${where}: the probe secret ${name} is still being deleted`,
    "The service tries the rotation again. A longer timeout of the function gives the deletion more time.",
    { cause },
  );
}
