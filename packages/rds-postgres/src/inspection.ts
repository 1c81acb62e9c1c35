import { RotationError } from "@quarterturn/core";
import type { Obstacle, Pair, PairState } from "@quarterturn/database";
import { escapeIdentifier, escapeLiteral } from "pg";
import { readPair, reassign, requireFullMember, requireMember } from "./pair.ts";
import type { RolePair, WholePair } from "./role.ts";
import type { Identity, Run } from "./transaction.ts";
import { letAdminister, mustStayItself, ownSettings } from "./twin.ts";

/** How a pair stands, and what the admin lacks for it. Changes nothing. */
export async function inspectPair(run: Run, identity: Identity, pair: Pair, address: string): Promise<PairState> {
  const roles = await readPair(run, pair.original, pair.twin, address);
  const twinFault = roles.twin && faultOf(roles, pair, address);
  const twinHint = hintOf(roles, pair, address);
  return {
    admin: (await lackingRight(run, identity, roles, address)) ?? "able",
    twin: roles.twin ? "known" : "none",
    twinDefines: roles.twin ? ownedBy(roles) : [],
    ...(twinFault && { twinFault }),
    ...(twinHint && { twinHint }),
  };
}

/** What alignTwin and setPassword would be refused for. From PostgreSQL 16 on CREATEROLE alone gives no right over other roles. */
async function lackingRight(
  run: Run,
  { sessionUser, versionNumber }: Identity,
  { original, twin }: WholePair,
  address: string,
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

function faultOf(roles: WholePair, { original, twin, pending }: Pair, address: string): Obstacle | undefined {
  try {
    requireMember(roles, original, twin, address);
    // alignTwin makes a pending twin a full one.
    if (pending === "original") requireFullMember(roles, original, twin, address);
  } catch (error) {
    if (error instanceof RotationError) return error;
    throw error;
  }
  return undefined;
}

function hintOf(roles: WholePair, { original, twin }: Pair, address: string): Obstacle | undefined {
  if (!mustStayItself(roles)) return undefined;
  return {
    what: `${address}: the sessions of "${twin}" act as itself, and what it owns and may do is not the original's: the application loses it at every other rotation`,
    advice: `${remediesOf(roles, original, twin)} The next rotation then makes it act as the original.`,
  };
}

/** What gives the original, or takes away, each thing that keeps a twin from acting as its original. */
function remediesOf(roles: WholePair, original: string, twin: string): string {
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

function ownedBy({ twinsOwn: { objects, rights, databases, memberships } }: RolePair): readonly string[] {
  const places = databases.length > 0 ? ` (in ${databases.join(", ")})` : "";
  return [
    ...(objects > 0 ? [`${objects} object${objects === 1 ? "" : "s"}${places}`] : []),
    ...(rights > 0 ? [`rights on ${rights} object${rights === 1 ? "" : "s"}${places}`] : []),
    ...memberships.map((role) => `membership in ${role}`),
  ];
}
