import { RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Pair, type Session } from "@quarterturn/database";
import { DatabaseError, escapeIdentifier, escapeLiteral } from "pg";
import type { Connection } from "./connection.ts";
import { type Role, type RolePair, rolePairOf, rolePairQuery } from "./role.ts";
import { type Identity, type Run, transaction } from "./transaction.ts";
import { losesRoleAtDiscard, type TwinStatement, twinStatements } from "./twin.ts";
import { passwordVerifier } from "./verifier.ts";

/** A session over an open connection. @param sendsVerifier whether a password is sent as its verifier */
export function openSession(
  { client, close }: Connection,
  login: Login,
  context: EngineContext,
  sendsVerifier: boolean,
): Session {
  const address = addressOf(login);

  function passwordStatement(username: string, password: string, { passwordEncryption }: Identity): string {
    const isAscii = /^[\x20-\x7e]*$/.test(password);
    const sent = sendsVerifier && isAscii ? passwordVerifier(username, password, passwordEncryption) : password;
    return `ALTER ROLE ${escapeIdentifier(username)} PASSWORD ${escapeLiteral(sent)}`;
  }

  return {
    async changePassword(next) {
      await transaction(client, login, context, async (run, identity) => {
        if (identity.sessionUser !== login.username) {
          throw new RotationError(
            "wrong-target",
            `${address}: the login of "${login.username}" is a session of "${identity.sessionUser}"`,
            "Nothing was changed. A proxy or a mapping of user names stands in between: put the server's own host and user into the secret.",
          );
        }
        await run(
          passwordStatement(login.username, next, identity),
          `changing the password of "${login.username}"`,
          `Where rds.restrict_password_commands is on, a role that may runs: GRANT rds_password TO ${escapeIdentifier(login.username)};`,
        );
      });
      return "refused";
    },

    // A user has one password.
    discardOldPassword: async () => undefined,

    alignTwin: ({ original, twin }) =>
      transaction(client, login, context, async (run, { versionNumber, sessionUser }) => {
        const pair = await readPair(run, original, twin);
        if (pair.twin) requireMember(pair, original, twin);
        for (const statement of twinStatements(pair, twin, sessionUser, versionNumber)) await apply(run, statement);
        if (losesRoleAtDiscard(versionNumber)) {
          context.log.warn(
            "After DISCARD ALL, which PgBouncer sends by default, this server's sessions of the twin act as the twin itself: update the server's minor version",
            { versionNumber },
          );
        }
        if (pair.ownedByTwin > 0) {
          context.log.warn(
            "The twin owns objects itself, which the original cannot change: run the statement in each of its databases",
            {
              objects: pair.ownedByTwin,
              statement: `REASSIGN OWNED BY ${escapeIdentifier(twin)} TO ${escapeIdentifier(original)};`,
            },
          );
        }
      }),

    setPassword: (pair: Pair, password) =>
      transaction(client, login, context, async (run, identity) => {
        requireMember(await readPair(run, pair.original, pair.twin), pair.original, pair.twin);
        const username = pair[pair.pending];
        await run(
          passwordStatement(username, password, identity),
          `setting the password of "${username}"`,
          `Run as a role that may: GRANT ${escapeIdentifier(username)} TO ${escapeIdentifier(identity.sessionUser)} WITH ADMIN OPTION; (and GRANT rds_password TO it where rds.restrict_password_commands is on)`,
        );
      }),

    close,
  };

  async function readPair(run: Run, original: string, twin: string): Promise<RolePair & { original: Role }> {
    const [row] = await run(rolePairQuery(original, twin), "reading the two users");
    const pair = rolePairOf(row);
    if (pair.original) return { ...pair, original: pair.original };
    throw new RotationError(
      "wrong-target",
      `${address} has no user "${original}", whose twin "${twin}" would be`,
      "Nothing was changed. Create it, or use the single-user strategy for this user.",
    );
  }

  /** A role that merely has the twin's name is somebody else's, and its password must not get into this secret. */
  function requireMember({ isMember }: RolePair, original: string, twin: string): void {
    if (isMember) return;
    throw new RotationError(
      "wrong-target",
      `${address} has a user "${twin}" that is not a member of "${original}"`,
      `Nothing was changed. If it is meant to be the second user of this secret, run: GRANT ${escapeIdentifier(original)} TO ${escapeIdentifier(twin)}; otherwise rename one of the two.`,
    );
  }

  async function apply(run: Run, { sql, doing, remedy, isOptional }: TwinStatement): Promise<void> {
    if (!isOptional) return void (await run(sql, doing, remedy));
    await run("SAVEPOINT setting", doing);
    try {
      await run(sql, doing, remedy);
    } catch (error) {
      // Not permitted to this admin, or unknown to (or refused by) this version of the server.
      const cause = error instanceof Error ? error.cause : undefined;
      if (!(cause instanceof DatabaseError) || !["42501", "42704", "22023"].includes(cause.code ?? "")) throw error;
      await run("ROLLBACK TO SAVEPOINT setting", doing);
      context.log.warn(
        "A setting of the original could not be given to the twin: an admin who may can run the statement",
        { statement: `${sql};`, reason: cause.message },
      );
    }
  }
}
