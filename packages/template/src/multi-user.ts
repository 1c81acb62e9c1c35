import { isDeepStrictEqual } from "node:util";
import {
  type Environment,
  generatePassword,
  otherOfPair,
  pairOf,
  passwordSettings,
  type RotationContext,
  RotationError,
  type Rotator,
  readSecretValue,
  type UserPair,
} from "@quarterturn/core";
import type * as v from "valibot";
import { type RotatedSecret, type SecretChanges, secretFormat, secretSchema } from "./secret.ts";

/** What the fields of such a secret must have. */
interface UserFields {
  readonly username: string;
  /** The ARN of the admin secret. */
  readonly masterarn?: string | undefined;
}

/**
 * A service whose users have one password (or key) each, which an admin may set. Every function throws RotationError, which `httpJson` does
 * by itself, and may be called again.
 */
export interface UserService<Fields extends UserFields> {
  /** Validates what the secret holds besides the password; the admin secret's fields too. */
  readonly fields: v.GenericSchema<unknown, Fields>;
  /** Where the service is, e.g. its URL. The admin's password is sent nowhere but where the admin secret says. */
  where(fields: Fields): string;
  /** Logs in as an application would. @throws RotationError `credentials-rejected` */
  login(secret: RotatedSecret<Fields>, context: RotationContext): Promise<void>;
  /**
   * As the admin, in one request: creates the user `twin` with the mark that it is the twin of `original`. It cannot log in yet. A user that
   * exists stays as it is, and is no error.
   */
  createTwin(admin: RotatedSecret<Fields>, pair: Omit<UserPair, "pending">, context: RotationContext): Promise<void>;
  /**
   * As the admin: whose twin a user is, by a mark that only an admin can set (a tag, a group, a comment); undefined where it has none. A name
   * proves nothing, since anybody may own it.
   */
  twinOf(admin: RotatedSecret<Fields>, username: string, context: RotationContext): Promise<string | undefined>;
  /**
   * As the admin: gives the user `next.username`, which exists, the rights of `original`, and last of all the password, so that nobody can
   * log in to a user that lacks rights.
   */
  prepare(
    admin: RotatedSecret<Fields>,
    next: { readonly username: string; readonly password: string; readonly original: string },
    context: RotationContext,
  ): Promise<void>;
}

/** The multi-user strategy: two users take turns, and an admin prepares the one that is not in use. Nobody is refused at any time. */
export function multiUser<Fields extends UserFields>(
  service: UserService<Fields>,
  env: Environment,
): Rotator<RotatedSecret<Fields>, SecretChanges> {
  const field = env.SECRET_FIELD || "password";
  const schema = secretSchema(field, service.fields);
  const format = secretFormat(field);
  const password = passwordSettings(env, "");

  async function adminOf({ fields }: RotatedSecret<Fields>, context: RotationContext) {
    if (!fields.masterarn) {
      throw new RotationError("bad-secret", "masterarn is missing", "Put the admin secret's ARN into the secret.");
    }
    const text = await context.readSecret(fields.masterarn);
    const admin = await readSecretValue(text, "the admin secret", schema, format);
    if (service.where(admin.fields) !== service.where(fields)) {
      throw wrongTarget(
        `The admin secret is for ${service.where(admin.fields)}, and AWSCURRENT for ${service.where(fields)}`,
      );
    }
    return admin;
  }

  /** Asked for both: AWSCURRENT's user may be somebody's who chose a name that makes the pending one the original. */
  async function requireTwin(
    admin: RotatedSecret<Fields>,
    { original, twin }: Omit<UserPair, "pending">,
    context: RotationContext,
  ): Promise<void> {
    if ((await service.twinOf(admin, twin, context)) === original) return;
    throw new RotationError(
      "wrong-target",
      `The user "${twin}" has no mark that it is the twin of "${original}", so each may be somebody else's`,
      "This try changed neither. If both are this secret's, let an admin set the mark at the service; otherwise rename one of them.",
    );
  }

  return {
    schema,
    format,

    create: async ({ fields }) => ({
      value: generatePassword(password),
      fields: { username: otherOfPair(fields.username) },
    }),

    async set({ current, pending }, context) {
      const { username } = pending.fields;
      if (username === current.fields.username) {
        throw new RotationError(
          "superseded",
          `The pending version and AWSCURRENT both name the user "${username}": AWSCURRENT was moved while this rotation ran`,
          "This try changed nothing. Remove AWSPENDING from its version, then rotate again.",
        );
      }
      if (!isDeepStrictEqual(pending.fields, { ...current.fields, username: otherOfPair(current.fields.username) })) {
        throw wrongTarget(
          `The pending version is not for the other user of AWSCURRENT's pair, or differs in more than that`,
        );
      }
      const admin = await adminOf(current, context);
      // Whoever may write the secret chooses its user: the admin acts for one whose password is known, and for nobody else.
      await service.login(current, context);
      const pair = pairOf(current.fields.username);
      if (pair.pending === "twin") await service.createTwin(admin, pair, context);
      await requireTwin(admin, pair, context);
      await context.requirePending();
      await service.prepare(admin, { username, password: pending.value, original: pair.original }, context);
      return "valid";
    },

    test: (pending, context) => service.login(pending, context),
  };
}

function wrongTarget(what: string): RotationError {
  return new RotationError("wrong-target", what, "This try changed nothing. Correct the secret, then rotate again.");
}
