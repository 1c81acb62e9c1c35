import { isDeepStrictEqual } from "node:util";
import { choiceSetting, type Environment, type RotationContext, RotationError, type Rotator } from "@quarterturn/core";
import * as v from "valibot";
import { type RotatedSecret, type SecretChanges, secretFormat, secretSchema } from "./secret.ts";

/** A key as the service lists it. */
export interface IssuedKey {
  readonly id: string;
  /** When it was issued, in any unit that grows. */
  readonly issuedAt: number;
}

/**
 * A service that issues keys, several of which are valid at a time. The secret's value is one of them. Every function throws
 * RotationError, which `httpJson` does by itself.
 */
export interface KeyService<Fields> {
  /** Validates what the secret holds besides the key. */
  readonly fields: v.GenericSchema<unknown, Fields>;
  /**
   * Issues one more key for the account of the current one and leaves all others valid. Name it after `context.secretId` at the service, so
   * that `list` finds it.
   */
  issue(current: RotatedSecret<Fields>, context: RotationContext): Promise<string>;
  /**
   * Uses the key as an application would, and says whose it is and which: its id is the one that `list` gives.
   *
   * @throws RotationError `credentials-rejected` where the service does not accept it
   */
  identify(secret: RotatedSecret<Fields>, context: RotationContext): Promise<{ account: string; keyId: string }>;
  /** The valid keys of the account that `issue` named after this secret, and no others. */
  list(current: RotatedSecret<Fields>, context: RotationContext): Promise<readonly IssuedKey[]>;
  /** Revokes a key of the account; one that is gone already is no error. */
  revoke(current: RotatedSecret<Fields>, keyId: string, context: RotationContext): Promise<void>;
}

/**
 * The single-user strategy over a service that issues keys: the key is issued in createSecret, and AWSCURRENT's stays valid.
 *
 * A key exists before Secrets Manager knows it, so a try can leave one behind. One that was issued in vain is revoked at once; one whose try
 * was killed is revoked when a rotation with a later key has finished. No key that is newer than AWSCURRENT's is revoked then: it may be
 * the next rotation's.
 *
 * @throws RotationError `bad-setting`
 */
export function singleUser<Fields extends object>(
  service: KeyService<Fields>,
  env: Environment,
): Rotator<RotatedSecret<Fields>, SecretChanges> {
  const field = env.SECRET_FIELD || "key";
  const oldKey = choiceSetting(env, "OLD_KEY", "keep", ["keep", "revoke"]);
  return {
    schema: v.pipe(
      secretSchema(field, service.fields),
      v.check(({ value }) => /^[\x21-\x7e]+$/.test(value), `${field} holds white space or a character that no key has`),
    ),
    format: secretFormat(field),

    create: async (current, context) => ({ value: await service.issue(current, context) }),

    async discard({ value }, current, context) {
      const { keyId } = await service.identify({ ...current, value }, context);
      await service.revoke(current, keyId, context);
    },

    async set({ current, pending }, context) {
      if (!isDeepStrictEqual(current.fields, pending.fields)) {
        throw wrongTarget(`AWSCURRENT and the pending version differ in more than "${field}"`);
      }
      const next = await service.identify(pending, context);
      const own = await unlessRejected(service.identify(current, context));
      if (own && own.account !== next.account) throw wrongTarget("The pending key is another account's");
      if (!own)
        context.log.warn(
          "AWSCURRENT's key is refused, so it cannot be said whether the pending one has the same owner",
        );
      return "valid";
    },

    async test(pending, context) {
      await service.identify(pending, context);
    },

    async retire({ current, previous }, context) {
      const own = await service.identify(current, context);
      const before = await unlessRejected(service.identify(previous, context));
      const keys = await service.list(current, context);
      const issuedAt = keys.find(({ id }) => id === own.keyId)?.issuedAt ?? 0;
      const old = new Set(keys.filter((key) => key.issuedAt < issuedAt).map(({ id }) => id));
      if (before?.account === own.account && before.keyId !== own.keyId) {
        if (oldKey === "revoke") old.add(before.keyId);
        else if (!old.delete(before.keyId)) {
          context.log.warn("AWSPREVIOUS's key was not issued by a rotation: revoke it yourself when nobody uses it", {
            keyId: before.keyId,
          });
        }
      }
      for (const keyId of old) await service.revoke(current, keyId, context);
    },
  };
}

async function unlessRejected<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RotationError && error.code === "credentials-rejected") return undefined;
    throw error;
  }
}

function wrongTarget(what: string): RotationError {
  return new RotationError("wrong-target", what, "This try changed nothing. Correct the secret, then rotate again.");
}
