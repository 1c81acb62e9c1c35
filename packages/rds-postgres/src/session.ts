import { type LogFields, RotationError } from "@quarterturn/core";
import {
  addressOf,
  type EngineContext,
  type Login,
  type Obstacle,
  type Pair,
  type PairState,
  type Session,
} from "@quarterturn/database";
import { type Connection, causeOf } from "@quarterturn/pg-wire";
import { escapeIdentifier, escapeLiteral } from "pg";
import { isAccepted } from "./connection.ts";
import { type Role, type RolePair, rolePairOf, rolePairQuery } from "./role.ts";
import { type Identity, type Run, transaction } from "./transaction.ts";
import {
  letAdminister,
  losesRoleAtDiscard,
  mustStayItself,
  ownSettings,
  type TwinStatement,
  twinStatements,
} from "./twin.ts";
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
        const pair = await withUsableRole(run, await readPair(run, original, twin));
        if (pair.twin) requireMember(pair, original, twin);
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
          const roles = await readPair(run, pair.original, pair.twin);
          requireMember(roles, pair.original, pair.twin);
          if (pair.pending === "twin") return;
          requireFullMember(roles, pair.original, pair.twin);
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

    async inspectPair(pair) {
      let state: PairState | undefined;
      await transaction(client, login, context, async (run, identity) => {
        const roles = await readPair(run, pair.original, pair.twin);
        const twinFault = roles.twin && faultOf(roles, pair);
        const twinHint = hintOf(roles, pair);
        state = {
          admin: (await lackingRight(run, identity, roles)) ?? "able",
          twin: roles.twin ? "known" : "none",
          twinDefines: roles.twin ? ownedBy(roles) : [],
          ...(twinFault && { twinFault }),
          ...(twinHint && { twinHint }),
        };
      });
      if (state) return state;
      throw new Error("a transaction was committed whose work was not done");
    },

    // That one begins which may write.
    requireWriter: () => transaction(client, login, context, async () => undefined),

    close,
  };

  /** What alignTwin and setPassword would be refused for. From PostgreSQL 16 on CREATEROLE alone gives no right over other roles. */
  async function lackingRight(
    run: Run,
    { sessionUser, versionNumber }: Identity,
    { original, twin }: RolePair & { original: Role },
  ): Promise<Obstacle | undefined> {
    const users = [original.name, ...(twin ? [twin.name] : [])];
    const administers = users.map(
      (user) => `pg_catalog.pg_has_role(session_user, ${escapeLiteral(user)}, 'MEMBER WITH ADMIN OPTION')`,
    );
    const isOld = versionNumber < 160_000;
    // A role that has REPLICATION was a superuser's to change; from PostgreSQL 16 on, whoever has the attribute gives it.
    const needsReplication = isOld
      ? original.isReplication || twin?.isReplication === true
      : original.isReplication && !twin?.isReplication;
    const sql = `SELECT rolsuper OR (rolcreaterole AND (${isOld} OR (${administers.join(" AND ")}))) AS may,
      rolsuper OR NOT ${needsReplication} OR (NOT ${isOld} AND rolreplication) AS may_replicate,
      rolsuper OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolsuper AND r.rolname IN (${users.map(escapeLiteral).join(", ")})) AS may_super
      FROM pg_catalog.pg_roles WHERE rolname = session_user`;
    const [row] = await run(sql, "reading the admin's rights");
    if (row?.may === true && row.may_super !== true) {
      return {
        what: `${address}: only a superuser may change a superuser, and the admin "${sessionUser}" is none`,
        advice: "Put a superuser into the admin secret, or use the single-user strategy for this user.",
      };
    }
    if (row?.may === true && row.may_replicate !== true) {
      return {
        what: `${address}: "${original.name}" or its twin has the attribute REPLICATION, which the admin "${sessionUser}" may not give or change`,
        advice: isOld
          ? "Put a superuser into the admin secret, or use the single-user strategy for this user."
          : `Run as a role that may: ALTER ROLE ${escapeIdentifier(sessionUser)} REPLICATION; or use the single-user strategy for this user.`,
      };
    }
    if (row?.may === true) return undefined;
    return {
      what: `${address}: the admin "${sessionUser}" may not make and change the users ${users.map((user) => `"${user}"`).join(" and ")}`,
      advice: letAdminister(sessionUser, users),
    };
  }

  function faultOf(roles: RolePair & { original: Role }, { original, twin, pending }: Pair): Obstacle | undefined {
    try {
      requireMember(roles, original, twin);
      // alignTwin makes a pending twin a full one.
      if (pending === "original") requireFullMember(roles, original, twin);
    } catch (error) {
      if (error instanceof RotationError) return error;
      throw error;
    }
    return undefined;
  }

  function hintOf(roles: RolePair & { original: Role }, { original, twin }: Pair): Obstacle | undefined {
    if (!mustStayItself(roles)) return undefined;
    return {
      what: `${address}: the sessions of "${twin}" act as itself, and what it owns and may do is not the original's: the application loses it at every other rotation`,
      advice: `${remediesOf(roles, original, twin)} The next rotation then makes it act as the original.`,
    };
  }

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

  async function readPair(run: Run, original: string, twin: string): Promise<RolePair & { original: Role }> {
    const [row] = await run(rolePairQuery(original, twin), "reading the two users");
    const pair = rolePairOf(row);
    if (pair.original) return { ...pair, original: pair.original };
    throw new RotationError(
      "wrong-target",
      `${address} has no user "${original}", whose twin "${twin}" would be`,
      "This try changed nothing. Create it, or use the single-user strategy for this user.",
    );
  }

  /** A role setting that the original may not use does not make its sessions another role's, and must not be copied. */
  async function withUsableRole<P extends { original: Role }>(run: Run, pair: P): Promise<P> {
    const { name, settings } = pair.original;
    const role = settings.find((setting) => setting.name === "role" && setting.database === undefined);
    if (!role) return pair;
    const sql = `SELECT pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER') AS may FROM pg_catalog.pg_roles o, pg_catalog.pg_roles r
      WHERE o.rolname = ${escapeLiteral(name)} AND r.rolname = ${escapeLiteral(role.value)}`;
    const [row] = await run(sql, "reading the original's role");
    if (row?.may === true) return pair;
    return { ...pair, original: { ...pair.original, settings: settings.filter((setting) => setting !== role) } };
  }

  /** A role that merely has the twin's name is somebody else's, and its password must not get into this secret. */
  function requireMember({ isMember }: RolePair, original: string, twin: string): void {
    if (isMember) return;
    throw new RotationError(
      "wrong-target",
      `${address} has a user "${twin}" that is not a member of "${original}"`,
      `This try changed nothing. If it is meant to be the second user of this secret, run: GRANT ${escapeIdentifier(original)} TO ${escapeIdentifier(twin)}; otherwise rename one of the two.`,
    );
  }

  /**
   * A membership that gives nothing shows no pair: somebody may have made it only to get the original's password into the twin's secret.
   */
  function requireFullMember({ isFullMember }: RolePair, original: string, twin: string): void {
    if (isFullMember) return;
    throw new RotationError(
      "wrong-target",
      `${address} has a user "${twin}" that may not act as "${original}", although it is a member`,
      `This try changed nothing. If the two are the users of this secret, run: GRANT ${escapeIdentifier(original)} TO ${escapeIdentifier(twin)} WITH INHERIT TRUE, SET TRUE;`,
    );
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

/** What gives the original, or takes away, each thing that keeps a twin from acting as its original. */
function remediesOf(roles: RolePair & { original: Role }, original: string, twin: string): string {
  const { objects, rights, memberships } = roles.twinsOwn;
  const [from, to] = [escapeIdentifier(twin), escapeIdentifier(original)];
  const settings = ownSettings(roles).map(({ database, name }) => {
    const place = database === undefined ? "" : ` IN DATABASE ${escapeIdentifier(database)}`;
    return `ALTER ROLE ${from}${place} RESET ${escapeIdentifier(name)};`;
  });
  return [
    ...(objects > 0 ? [`In each of its databases: ${reassign(original, twin)}`] : []),
    ...(rights > 0
      ? [
          `In each of its databases grant ${to} what ${from} was granted, and revoke it from ${from}; \\dp and \\dn+ of psql show it.`,
        ]
      : []),
    ...memberships.map((role) => {
      const group = escapeIdentifier(role);
      return `GRANT ${group} TO ${to}; REVOKE ${group} FROM ${from};`;
    }),
    ...(settings.length > 0 ? [`Give ${to} the settings that it is to have, then: ${settings.join(" ")}`] : []),
  ].join(" ");
}

const reassign = (original: string, twin: string) =>
  `REASSIGN OWNED BY ${escapeIdentifier(twin)} TO ${escapeIdentifier(original)};`;

function ownedBy({ twinsOwn: { objects, rights, databases, memberships } }: RolePair): readonly string[] {
  const places = databases.length > 0 ? ` (in ${databases.join(", ")})` : "";
  return [
    ...(objects > 0 ? [`${objects} object${objects === 1 ? "" : "s"}${places}`] : []),
    ...(rights > 0 ? [`rights on ${rights} object${rights === 1 ? "" : "s"}${places}`] : []),
    ...memberships.map((role) => `membership in ${role}`),
  ];
}
