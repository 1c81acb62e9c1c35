import { isDeepStrictEqual } from "node:util";
import { generatePassword, otherOfPair, pairOf, RotationError, type Rotator } from "@quarterturn/core";
import { adminLogin } from "./admin-secret.ts";
import type { Engine, IsOurs, Login } from "./engine.ts";
import { type DatabaseChanges, type DatabaseSecret, databaseSecretFormat, databaseSecretSchema } from "./secret.ts";
import type { ServerDirectory } from "./server-directory.ts";
import type { DatabaseSettings } from "./settings.ts";
import { loginOf, requireLogin } from "./single-user.ts";
import { addressOf, requireSameTarget } from "./target.ts";
import { tlsPolicy } from "./tls.ts";

/**
 * The multi-user (alternating users) strategy: an admin gives the other user of a pair its new password, so that AWSCURRENT's credentials
 * log in all the time.
 *
 * @param directory what AWS's own API knows of the engine's servers, e.g. rdsDirectory
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html#rotating-secrets-two-users
 */
export function multiUser(
  engine: Engine,
  directory: ServerDirectory,
  settings: DatabaseSettings,
): Rotator<DatabaseSecret, DatabaseChanges> {
  const schema = databaseSecretSchema(engine.manifest);
  return {
    schema,
    format: databaseSecretFormat,

    create: async (current) => ({
      username: otherOfPair(current.username, engine.manifest),
      password: generatePassword(settings.password),
    }),

    async set({ current, pending, previous }, context) {
      if (pending.username === current.username) {
        throw new RotationError(
          "superseded",
          `The pending version and AWSCURRENT both name the user "${current.username}": AWSCURRENT was moved while this rotation ran`,
          "This try changed nothing. Store AWSCURRENT's value anew with PutSecretValue, which ends this rotation; then start a new one.",
        );
      }
      requireSameTarget(current, pending, "The pending version", otherOfPair(current.username, engine.manifest));
      const admin = await adminLogin(current, pending, engine.manifest, directory, settings, context);
      const { userKeys } = await requireAccount(current, admin);

      const { dbname } = engine.hasRightsPerDatabase ? current : admin;
      const session = await engine.login({ ...admin, ...(dbname === undefined ? {} : { dbname }) }, context);
      if (session === "rejected") {
        throw new RotationError(
          "credentials-rejected",
          `${addressOf(admin)} refuses the admin "${admin.username}"`,
          "This try changed nothing. Correct the admin secret (masterarn), or rotate it; then rotate this secret again.",
        );
      }
      try {
        const pair = { ...pairOf(current.username), userKeys };
        if (pair.pending === "twin") await session.alignTwin(pair, isOurs, current.password);
        await context.requirePending();
        await session.setPassword(pair, pending.password, isOurs);
        context.log.info("The user has the pending password", { server: addressOf(admin), user: pending.username });
      } finally {
        await session.close();
      }
      return "valid";

      /**
       * AWSPREVIOUS of a pair that was rotated before has the pending user's password, and the pending version has it where an earlier try set
       * it: asked only where an account does not say whose it is.
       */
      async function isOurs(mayHave: Parameters<IsOurs>[0]): Promise<boolean> {
        return (await isPending(await previous(), mayHave)) || (await isPending(pending, mayHave));
      }

      async function isPending(before: DatabaseSecret | undefined, mayHave: Parameters<IsOurs>[0]): Promise<boolean> {
        if (before?.username !== pending.username || !isDeepStrictEqual(before.userKeys, pending.userKeys))
          return false;
        if (mayHave?.(before.password) === false) return false;
        return isDeepStrictEqual((await accountThere(before))?.userKeys, userKeys);
      }

      /**
       * Whoever may write this secret chooses its user. The admin acts for that user only if the secret's own password logs in, and at the
       * admin's server: what the secret's host says about itself would prove nothing.
       */
      async function requireAccount(account: DatabaseSecret, at: Login): Promise<Pick<Login, "userKeys">> {
        const found = await accountThere(account);
        if (found) return found;
        throw new RotationError(
          "credentials-rejected",
          `${addressOf(at)} refuses the user "${account.username}" with AWSCURRENT's password`,
          "This try changed nothing: an admin acts only for a user whose password is known. Store the password that works with PutSecretValue, or give the user AWSCURRENT's password in the database; then rotate again.",
        );
      }

      /** The account that logs in at the admin's server; in plaintext only where both secrets allow it. */
      async function accountThere(account: DatabaseSecret): Promise<Pick<Login, "userKeys"> | undefined> {
        const { host, port } = admin;
        const tls = tlsPolicy({ ssl: account.ssl || admin.tls !== false });
        const answer = await engine.probe({ ...loginOf(account), host, port, tls }, context);
        if (answer === "rejected") return undefined;
        return answer === "accepted" ? account : answer;
      }
    },

    async test(pending, context) {
      await requireLogin(engine, pending, context, true);
    },
  };
}
