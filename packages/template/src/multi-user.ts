import { isDeepStrictEqual } from "node:util";
import {
  type Environment,
  generatePassword,
  passwordSettings,
  type RotationContext,
  RotationError,
  type Rotator,
  readSecretValue,
  type Setting,
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
   * As the admin: gives the user `next.username` the rights of `original`, creating it where it is missing, and last of all the password, so
   * that nobody can log in to a user that lacks rights.
   */
  prepare(
    admin: RotatedSecret<Fields>,
    next: { readonly username: string; readonly password: string; readonly original: string },
    context: RotationContext,
  ): Promise<void>;
}

export const multiUserSettingList: readonly Setting[] = [
  {
    name: "SECRET_FIELD",
    absent: "password",
    meaning: "Multi-user: the field of the secret, and of the admin secret, that holds the password.",
  },
];

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

  return {
    schema,
    format,

    create: async ({ fields }) => ({
      value: generatePassword(password),
      fields: { username: otherOf(fields.username) },
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
      if (!isDeepStrictEqual(pending.fields, { ...current.fields, username: otherOf(current.fields.username) })) {
        throw wrongTarget(
          `The pending version is not for the other user of AWSCURRENT's pair, or differs in more than that`,
        );
      }
      const admin = await adminOf(current, context);
      // Whoever may write the secret chooses its user: the admin acts for one whose password is known, and for nobody else.
      await service.login(current, context);
      await service.prepare(admin, { username, password: pending.value, original: originalOf(username) }, context);
      return "valid";
    },

    test: (pending, context) => service.login(pending, context),
  };
}

const suffix = "_clone";

const originalOf = (username: string) => (username.endsWith(suffix) ? username.slice(0, -suffix.length) : username);

/** `app` and `app_clone`, as AWS's functions name them. */
const otherOf = (username: string) => (username.endsWith(suffix) ? originalOf(username) : `${username}${suffix}`);

function wrongTarget(what: string): RotationError {
  return new RotationError("wrong-target", what, "This try changed nothing. Correct the secret, then rotate again.");
}
