import {
  type CurrentAfterSet,
  generatePassword,
  type RotationContext,
  RotationError,
  type Rotator,
} from "@quarterturn/core";
import type { Engine, EngineContext, Login, Session } from "./engine.ts";
import { type DatabaseChanges, type DatabaseSecret, databaseSecretFormat, databaseSecretSchema } from "./secret.ts";
import type { DatabaseSettings } from "./settings.ts";
import { addressOf, requireSameTarget } from "./target.ts";
import { tlsPolicy } from "./tls.ts";

/**
 * The single-user strategy: the user changes its own password. Between setSecret and finishSecret new logins with AWSCURRENT's password
 * are refused, unless the engine keeps two passwords for a user.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html#rotating-secrets-one-user-one-password
 */
export function singleUser(engine: Engine, settings: DatabaseSettings): Rotator<DatabaseSecret, DatabaseChanges> {
  return {
    schema: databaseSecretSchema(engine.manifest),
    format: databaseSecretFormat,

    create: async () => ({ password: generatePassword(settings.password) }),

    async set({ current, pending, previous }, context) {
      requireSameTarget(current, pending, "The pending version", current.username);
      if (pending.password === current.password) return "valid";

      // AWSCURRENT first: it logs in unless something went wrong before, so the server's audit log shows no refused login.
      const session = await engine.login(loginOf(current), context);
      if (session !== "rejected") {
        const afterwards = await changing(session, pending.password);
        context.log.info("The user has the pending password", { server: addressOf(current), user: current.username });
        return afterwards;
      }

      // An earlier try may have changed the password already.
      const earlier = await engine.probe(loginOf(pending), context);
      if (earlier !== "rejected") {
        context.log.info("The pending password was set by an earlier try");
        return "refused";
      }

      // After AWSCURRENT was moved back to an older version, the database still has what is AWSPREVIOUS now.
      const before = await previous();
      if (before) {
        requireSameTarget(current, before, "AWSPREVIOUS", current.username);
        const older = await engine.login(loginOf(before), context);
        if (older !== "rejected") {
          context.log.warn(
            "AWSCURRENT's password is refused and AWSPREVIOUS's is accepted: it is replaced by the pending one",
          );
          await changing(older, pending.password);
          return "refused";
        }
      }
      throw new RotationError(
        "credentials-rejected",
        `${addressOf(current)} refuses the user "${current.username}" with the passwords of AWSCURRENT${before ? "," : " and"} the pending version${before ? " and AWSPREVIOUS" : ""}`,
        "This try changed nothing. A server says no more than that: the password is another one, or the user does not exist or is no longer valid (see its log). Give the user AWSCURRENT's password in the database, or store the password that works with PutSecretValue (an abandoned rotation leaves it in a version without labels: list-secret-version-ids --include-deprecated); then rotate again.",
      );
    },

    async test(pending, context) {
      await requireLogin(engine, pending, context, false);
    },

    ...(engine.discardsOldPassword ? { retire } : {}),
  };

  async function retire({ current }: { readonly current: DatabaseSecret }, context: RotationContext): Promise<void> {
    const session = await engine.login(loginOf(current), context);
    if (session === "rejected") {
      throw new RotationError(
        "credentials-rejected",
        `${addressOf(current)} refuses the user "${current.username}" with AWSCURRENT's password`,
        "Somebody else has changed it since it was tested. Store the password that works with PutSecretValue.",
      );
    }
    try {
      await session.discardOldPassword?.();
    } finally {
      await session.close();
    }
  }
}

/** The login that a secret's value describes. */
export function loginOf(secret: DatabaseSecret): Login {
  const { host, port, username, password, dbname, userKeys } = secret;
  return {
    host,
    port,
    username,
    password,
    userKeys,
    tls: tlsPolicy(secret),
    ...(dbname === undefined ? {} : { dbname }),
  };
}

/** testSecret of both strategies: the pending credentials log in. @param mustActAsOriginal see `Engine.probe` */
export async function requireLogin(
  engine: Engine,
  pending: DatabaseSecret,
  context: EngineContext,
  mustActAsOriginal: boolean,
): Promise<void> {
  if ((await engine.probe(loginOf(pending), context, mustActAsOriginal)) !== "rejected") {
    context.log.info("The pending credentials log in", { server: addressOf(pending), user: pending.username });
    return;
  }
  throw new RotationError(
    "credentials-rejected",
    `${addressOf(pending)} refuses the pending password of the user "${pending.username}"`,
    "AWSCURRENT was not moved. The service tries again; if it stays so, look for somebody else who changes this user's password.",
  );
}

async function changing(session: Session, next: string): Promise<CurrentAfterSet> {
  try {
    return await session.changePassword(next);
  } finally {
    await session.close();
  }
}
