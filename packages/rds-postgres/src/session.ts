import { type LogFields, RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Pair, type Session } from "@quarterturn/database";
import { type Connection, causeOf } from "@quarterturn/pg-wire";
import { escapeIdentifier, escapeLiteral } from "pg";
import { isAccepted } from "./connection.ts";
import { inspectPair } from "./inspection.ts";
import { readPair, reassign, requireFullMember, requireMember, withUsableRole } from "./pair.ts";
import type { RolePair } from "./role.ts";
import { type Identity, type Run, transaction } from "./transaction.ts";
import { letAdminister, losesRoleAtDiscard, mustStayItself, type TwinStatement, twinStatements } from "./twin.ts";
import { type PasswordEncryption, sentAsIs, sentForm } from "./verifier.ts";

/** What differs between changing one's own password and setting another's. */
interface PasswordChange {
  /** Whether the server may store it as md5 if it is configured to: not where nobody could log in any more if its rules refuse that. */
  readonly mayBeMd5: boolean;
  /** What an admin does where the right is missing, given the session's user. */
  remedy(admin: string): string;
  before(run: Run, identity: Identity): Promise<void>;
  beforeCommit?(): Promise<void>;
}

/** A session over an open connection. @param sendsVerifier whether a password is sent as its verifier */
export function openSession(
  { client, mayBeMd5, close }: Connection,
  login: Login,
  context: EngineContext,
  sendsVerifier: boolean,
): Session {
  const address = addressOf(login);

  return {
    async changePassword(next) {
      await givePassword(login.username, next, {
        mayBeMd5,
        remedy: () =>
          `Where rds.restrict_password_commands is on, a role that may runs: GRANT rds_password TO ${escapeIdentifier(login.username)};`,
        async before(_run, identity) {
          if (identity.sessionUser === login.username) return;
          throw new RotationError(
            "wrong-target",
            `${address}: the login of "${login.username}" is a session of "${identity.sessionUser}"`,
            "This try changed nothing. A proxy or a mapping of user names stands in between: put the server's own host and user into the secret.",
          );
        },
        // The row is ours until COMMIT: this makes it a compare-and-swap. A step of a rotation that was given up may run late, and must
        // not overwrite what a newer one set since this session logged in. Two of the same step set the same.
        async beforeCommit() {
          if ((await isAccepted(login, context)) || (await isAccepted({ ...login, password: next }, context))) return;
          throw new RotationError(
            "superseded",
            `${address}: the password of "${login.username}" was changed by somebody else while this step ran`,
            "This try changed nothing. See which version's credentials the database accepts before anything else is changed.",
          );
        },
      });
      return "refused";
    },

    alignTwin: ({ original, twin }) =>
      transaction(client, login, context, async (run, { versionNumber, sessionUser }) => {
        const pair = await withUsableRole(run, await readPair(run, original, twin, address));
        if (pair.twin) requireMember(pair, original, twin, address);
        if (mustStayItself(pair)) {
          context.log.warn(
            "The twin has objects, rights, memberships or settings of its own and acts as itself, as AWS's function left it: give them to the original, and the next rotation makes it act as that",
            ownFields(pair, original, twin),
          );
          return;
        }
        for (const statement of twinStatements(pair, twin, sessionUser, versionNumber)) await apply(run, statement);
        if (losesRoleAtDiscard(versionNumber)) {
          context.log.warn(
            "After DISCARD ALL, which PgBouncer sends by default, this server's sessions of the twin act as the twin itself: update the server's minor version",
            { versionNumber },
          );
        }
      }),

    setPassword: (pair: Pair, password) =>
      givePassword(pair[pair.pending], password, {
        mayBeMd5: true,
        remedy: (admin) =>
          `${letAdminister(admin, [pair.original, pair.twin])} (and GRANT rds_password TO it where rds.restrict_password_commands is on)`,
        async before(run) {
          const roles = await readPair(run, pair.original, pair.twin, address);
          requireMember(roles, pair.original, pair.twin, address);
          if (pair.pending === "twin") return;
          requireFullMember(roles, pair.original, pair.twin, address);
          if (roles.twinsOwn.objects + roles.twinsOwn.rights === 0) return;
          context.log.warn(
            "The twin has objects or rights of its own, which the original cannot use: they are out of the application's reach until the next rotation",
            ownFields(roles, pair.original, pair.twin),
          );
        },
      }),

    restorePassword: ({ username }, password) =>
      givePassword(username, password, {
        mayBeMd5: true,
        remedy: (admin) => letAdminister(admin, [username]),
        async before(run) {
          const sql = `SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ${escapeLiteral(username)}`;
          if ((await run(sql, "reading the user")).length === 1) return;
          throw new RotationError(
            "wrong-target",
            `${address} has no user "${username}"`,
            "This try changed nothing. Create it, or correct the secret.",
          );
        },
      }),

    inspectPair: (pair) =>
      transaction(client, login, context, (run, identity) => inspectPair(run, identity, pair, address)),

    // That one begins which may write.
    requireWriter: () => transaction(client, login, context, async () => undefined),

    close,
  };

  /** Sets a password in one transaction; an md5 form that is refused at the login, since pg_hba.conf wants SCRAM, gives way to that. */
  async function givePassword(
    username: string,
    password: string,
    { mayBeMd5, remedy, before, beforeCommit }: PasswordChange,
  ) {
    let form: PasswordEncryption = "scram-sha-256";
    const set = (wanted?: PasswordEncryption) =>
      transaction(client, login, context, async (run, identity) => {
        if (!wanted) await before(run, identity);
        form = wanted ?? (mayBeMd5 ? identity.passwordEncryption : "scram-sha-256");
        const sent = sendsVerifier ? sentForm(username, password, form) : sentAsIs(password);
        // What is sent as it is, the server stores as the session's setting says, and that may be the user's own.
        const sql = `SET LOCAL password_encryption = '${form}'; ALTER ROLE ${escapeIdentifier(username)} PASSWORD ${escapeLiteral(sent)}`;
        await run(sql, `setting the password of "${username}"`, remedy(identity.sessionUser));
        if (!wanted) await beforeCommit?.();
      });
    await set();
    if (form === "scram-sha-256" || (await isAccepted({ ...login, username, password }, context))) return;
    context.log.warn(
      "The server is configured to store md5 and refuses it at the login: the password is stored as SCRAM",
      { server: address, user: username },
    );
    await set("scram-sha-256");
  }

  function ownFields({ twinsOwn }: RolePair, original: string, twin: string): LogFields {
    const statement = reassign(original, twin);
    return { server: address, twin, ...twinsOwn, ...(twinsOwn.objects > 0 ? { statement } : {}) };
  }

  async function apply(run: Run, { sql, sayable, doing, remedy, isOptional }: TwinStatement): Promise<void> {
    if (!isOptional) return void (await run(sql, doing, remedy));
    await run("SAVEPOINT setting", doing);
    try {
      await run(sql, doing, remedy);
    } catch (error) {
      // Not permitted to this admin, or unknown to or refused by this version of the server; but not a conflict, or a connection that ended.
      const { code = "" } = causeOf(error) ?? {};
      if (code === "" || /^(XX|40|57|08|53|25)/.test(code)) throw error;
      await run("ROLLBACK TO SAVEPOINT setting", doing);
      context.log.warn("The twin could not be made like its original in this: a role that may can run the statement", {
        server: address,
        statement: sayable,
        sqlstate: code,
      });
    }
  }
}
