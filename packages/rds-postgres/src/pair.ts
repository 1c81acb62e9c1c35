import { RotationError } from "@quarterturn/core";
import { escapeIdentifier, escapeLiteral } from "pg";
import { type RolePair, rolePairOf, rolePairQuery, type WholePair } from "./role.ts";
import type { Run } from "./transaction.ts";

/** @param address the server, for messages @throws RotationError `wrong-target` where there is no original */
export async function readPair(run: Run, original: string, twin: string, address: string): Promise<WholePair> {
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
export async function withUsableRole(run: Run, pair: WholePair): Promise<WholePair> {
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
export function requireMember({ isMember }: RolePair, original: string, twin: string, address: string): void {
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
export function requireFullMember({ isFullMember }: RolePair, original: string, twin: string, address: string): void {
  if (isFullMember) return;
  throw new RotationError(
    "wrong-target",
    `${address} has a user "${twin}" that may not act as "${original}", although it is a member`,
    `This try changed nothing. If the two are the users of this secret, run: GRANT ${escapeIdentifier(original)} TO ${escapeIdentifier(twin)} WITH INHERIT TRUE, SET TRUE;`,
  );
}

/** What gives the original the objects of its twin, in one database. */
export const reassign = (original: string, twin: string) =>
  `REASSIGN OWNED BY ${escapeIdentifier(twin)} TO ${escapeIdentifier(original)};`;
