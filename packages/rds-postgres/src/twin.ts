import { escapeIdentifier, escapeLiteral } from "pg";
import type { Role, RoleSetting, WholePair } from "./role.ts";

/** A statement that brings a twin nearer to its original. */
export interface TwinStatement {
  readonly sql: string;
  /** The same for logs: without the value of a setting, which applications also use for keys. */
  readonly sayable: string;
  readonly doing: string;
  /** What an admin with more rights runs where this one lacks them. */
  readonly remedy: string;
  /** Whether the twin is of use without it: then it is only said. */
  readonly isOptional: boolean;
}

/**
 * Whether a twin that AWS's function made (it does not act as its original yet) has to stay as it is: it owns or may do something that a
 * session as the original could not use any more, and the application may depend on it.
 */
export function mustStayItself({ original, twin, twinsOwn }: WholePair): boolean {
  if (!twin || twin.settings.some(({ database, name }) => name === "role" && database === undefined)) return false;
  const { objects, rights, memberships } = twinsOwn;
  return objects > 0 || rights > 0 || memberships.length > 0 || ownSettings({ original, twin }).length > 0;
}

/** The twin's settings that are not the original's. */
export function ownSettings({ original, twin }: Pick<WholePair, "twin" | "original">): readonly RoleSetting[] {
  return (twin?.settings ?? []).filter((setting) => original.settings.find(isSame(setting))?.value !== setting.value);
}

/**
 * The statements after which the twin acts as its original: it is a member, its sessions start with the original's role (so what it
 * creates belongs to the original), and its limits and settings are the original's. None where all is so already.
 *
 * @param admin the name of the role that runs them
 */
export function twinStatements(
  pair: WholePair,
  twin: string,
  admin: string,
  versionNumber: number,
): readonly TwinStatement[] {
  const { original } = pair;
  const role = escapeIdentifier(twin);
  const remedyOfAdmin = letAdminister(admin, pair.twin ? [original.name, twin] : [original.name]);
  const statements: TwinStatement[] = [];
  const need = (sql: string, doing: string, remedy: string) =>
    statements.push({ sql, sayable: sql, doing, remedy, isOptional: false });

  if (!pair.twin) {
    need(`CREATE ROLE ${role} LOGIN`, `creating the user "${twin}"`, remedyOfAdmin);
  }
  if (!pair.isFullMember) {
    const options = versionNumber >= 160_000 ? " WITH INHERIT TRUE, SET TRUE" : "";
    need(
      `GRANT ${escapeIdentifier(original.name)} TO ${role}${options}`,
      `making "${twin}" a member of "${original.name}"`,
      remedyOfAdmin,
    );
  }
  if (original.isReplication && !pair.twin?.isReplication) {
    const sql = `ALTER ROLE ${role} REPLICATION`;
    need(
      sql,
      `giving "${twin}" the attribute REPLICATION, which membership does not carry over`,
      `Run as a role that may: ${sql};`,
    );
  }
  if (!original.isReplication && pair.twin?.isReplication) {
    const sql = `ALTER ROLE ${role} NOREPLICATION`;
    const doing = `taking REPLICATION from "${twin}", which its original has not`;
    statements.push({ sql, sayable: `${sql};`, doing, remedy: `Run as a role that may: ${sql};`, isOptional: true });
  }
  if ((pair.twin?.connectionLimit ?? -1) !== original.connectionLimit) {
    need(
      `ALTER ROLE ${role} CONNECTION LIMIT ${original.connectionLimit}`,
      `limiting the connections of "${twin}"`,
      remedyOfAdmin,
    );
  }
  if ((pair.twin?.validUntil ?? "infinity") !== original.validUntil) {
    need(
      `ALTER ROLE ${role} VALID UNTIL ${escapeLiteral(original.validUntil)}`,
      `setting how long "${twin}" is valid`,
      remedyOfAdmin,
    );
  }
  for (const { setting, sql, sayable } of settingStatements(original, pair.twin, role)) {
    const isRole = setting.name === "role";
    statements.push({
      sql,
      sayable,
      doing: `making "${twin}" ${isRole ? `act as "${original.name}"` : "have the original's settings"}`,
      remedy: isRole ? remedyOfAdmin : `Run as a role that may: ${sayable}`,
      isOptional: !isRole,
    });
  }
  return statements;
}

/** All that an admin needs for two users: one right missing after the other would take a rotation each to tell. */
export function letAdminister(admin: string, users: readonly string[]): string {
  const to = escapeIdentifier(admin);
  const grants = users.map((user) => `GRANT ${escapeIdentifier(user)} TO ${to} WITH ADMIN OPTION;`);
  return `Run as a role that may: ALTER ROLE ${to} CREATEROLE; ${grants.join(" ")}`;
}

const isSame = (a: RoleSetting) => (b: RoleSetting) => a.database === b.database && a.name === b.name;

/** The original's settings as the twin must have them: the same, and its role, which is the original unless that acts as another one. */
function settingStatements(
  original: Role,
  twin: Role | undefined,
  role: string,
): { setting: RoleSetting; sql: string; sayable: string }[] {
  const actsAs = original.settings.some(({ database, name }) => name === "role" && database === undefined);
  const wanted = actsAs
    ? original.settings
    : [{ database: undefined, name: "role", value: original.name }, ...original.settings];
  const existing = twin?.settings ?? [];
  const target = ({ database }: RoleSetting) =>
    `ALTER ROLE ${role}${database === undefined ? "" : ` IN DATABASE ${escapeIdentifier(database)}`}`;
  // A dotted name is an extension's; its parts are quoted one by one.
  const name = (setting: RoleSetting) => setting.name.split(".").map(escapeIdentifier).join(".");
  const set = (setting: RoleSetting) => {
    const sql = `${target(setting)} SET ${name(setting)} TO `;
    return {
      setting,
      sql: sql + settingValue(setting),
      sayable: `${sql}<the original's value, see pg_db_role_setting>;`,
    };
  };
  const reset = (setting: RoleSetting) => {
    const sql = `${target(setting)} RESET ${name(setting)}`;
    return { setting, sql, sayable: `${sql};` };
  };
  return [
    ...wanted.filter((setting) => existing.find(isSame(setting))?.value !== setting.value).map(set),
    ...existing.filter((setting) => !wanted.some(isSame(setting))).map(reset),
  ];
}

/** Settings whose stored value is a list of quoted names: as one literal it would become a list of one. */
const nameLists = [
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
];

function settingValue({ name, value }: RoleSetting): string {
  if (!nameLists.includes(name.toLowerCase())) return escapeLiteral(value);
  const elements = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
  return elements.length === 0 ? "''" : elements.map(escapeLiteral).join(", ");
}

/**
 * Whether DISCARD ALL, with which PgBouncer resets a connection by default, makes a session of the twin act as the twin itself.
 * Minor releases of November 2024 mended it.
 *
 * @param versionNumber server_version_num
 */
export function losesRoleAtDiscard(versionNumber: number): boolean {
  const mended: Readonly<Record<number, number>> = { 12: 22, 13: 18, 14: 15, 15: 10, 16: 6, 17: 2 };
  const major = Math.floor(versionNumber / 10_000);
  return major < 18 && versionNumber % 10_000 < (mended[major] ?? Number.POSITIVE_INFINITY);
}
