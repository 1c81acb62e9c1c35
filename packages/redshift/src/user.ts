import { randomBytes } from "node:crypto";
import { identifier, isTrue, literal } from "./sql.ts";
import type { Row, Statement } from "./transport.ts";

/** A user of a cluster, as far as a twin must be like it. */
export interface User {
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly mayCreateDatabases: boolean;
  /** A number, or `UNLIMITED`. */
  readonly connectionLimit: string;
  /** `RESTRICTED` or `UNRESTRICTED`. */
  readonly syslogAccess: string;
  /** Seconds; 0 for the cluster's own. */
  readonly sessionTimeout: number;
  /** When its password ends to be valid; `infinity` for never. */
  readonly validUntil: string;
  /** What ALTER USER ... SET gave it. */
  readonly settings: ReadonlyMap<string, string>;
  readonly groups: ReadonlySet<string>;
  /** RBAC roles, and whether it may grant each. */
  readonly roles: ReadonlyMap<string, boolean>;
}

/** The two users of a pair, and what is known of who asks. */
export interface Users {
  readonly original: User | undefined;
  readonly twin: User | undefined;
  /** Whether the twin bears the mark. */
  readonly isMarked: boolean;
  readonly hasMarkGroup: boolean;
  /** Whether the admin is a superuser: nobody else sees the rights of all others, nor may enable a password. */
  readonly isAdminSuperuser: boolean;
}

/** What helps where the admin lacks a right. */
export const needsSuperuser =
  "Redshift shows the terms and rights of all users to superusers only, and only they may enable a password: put one (CREATEUSER) into the admin secret, or use the single-user strategy.";

/** The group that marks twins: only a superuser can put a user into it. It has no rights. */
export const markGroup = "quarterturn_twins";

/**
 * The queries for a pair of users, in the order that `usersOf` reads.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_INFO.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/pg_user_info.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_GRANTS.html
 * @see https://www.postgresql.org/docs/8.0/catalog-pg-group.html
 */
export function userQueries(names: { original: string; twin: string }, admin: string): readonly Statement[] {
  const doing = "reading the two users";
  const remedy = needsSuperuser;
  return [
    {
      sql: `SELECT user_name, superuser, createdb, connection_limit, syslog_access, session_timeout
  FROM pg_catalog.svv_user_info WHERE user_name IN (:original, :twin, :admin)`,
      parameters: { ...names, admin },
      doing,
      remedy,
    },
    {
      sql: `SELECT usename AS user_name, CAST(CAST(valuntil AS timestamp) AS varchar) AS valid_until,
    pg_catalog.array_to_string(useconfig, pg_catalog.chr(10)) AS settings
  FROM pg_catalog.pg_user_info WHERE usename IN (:original, :twin)`,
      parameters: names,
      doing,
      remedy,
    },
    {
      sql: `SELECT g.groname AS group_name, u.usename AS user_name
  FROM pg_catalog.pg_group g, pg_catalog.pg_user_info u
  WHERE u.usesysid = ANY (g.grolist) AND u.usename IN (:original, :twin)`,
      parameters: names,
      doing,
      remedy,
    },
    {
      sql: "SELECT groname AS group_name FROM pg_catalog.pg_group WHERE groname = :mark",
      parameters: { mark: markGroup },
      doing,
      remedy,
    },
    {
      sql: "SELECT user_name, role_name, admin_option FROM pg_catalog.svv_user_grants WHERE user_name IN (:original, :twin)",
      parameters: names,
      doing,
      remedy,
    },
  ];
}

/** @param answers the rows of `userQueries` */
export function usersOf(
  [attributes = [], terms = [], groups = [], mark = [], roles = []]: readonly (readonly Row[])[],
  names: { original: string; twin: string },
  admin: string,
): Users {
  const ofUser = (rows: readonly Row[], name: string) => rows.filter(({ user_name }) => user_name === name);
  const groupsOf = (name: string) => new Set(ofUser(groups, name).map(({ group_name }) => String(group_name)));
  const user = (name: string): User | undefined => {
    const [row] = ofUser(attributes, name);
    if (!row) return undefined;
    const [term] = ofUser(terms, name);
    const limit = String(row.connection_limit);
    const own = groupsOf(name);
    own.delete(markGroup);
    return {
      name,
      isSuperuser: isTrue(row.superuser),
      mayCreateDatabases: isTrue(row.createdb),
      connectionLimit: /^\d+$/.test(limit) ? limit : "UNLIMITED",
      syslogAccess: row.syslog_access === "UNRESTRICTED" ? "UNRESTRICTED" : "RESTRICTED",
      sessionTimeout: Number(row.session_timeout ?? 0),
      validUntil: String(term?.valid_until ?? "infinity"),
      settings: settingsOf(String(term?.settings ?? "")),
      groups: own,
      roles: new Map(ofUser(roles, name).map((each) => [String(each.role_name), isTrue(each.admin_option)])),
    };
  };
  return {
    original: user(names.original),
    twin: user(names.twin),
    isMarked: groupsOf(names.twin).has(markGroup),
    hasMarkGroup: mark.length > 0,
    isAdminSuperuser: isTrue(ofUser(attributes, admin)[0]?.superuser),
  };
}

/** Lines of `name=value`; a line that begins otherwise belongs to the value before it. */
function settingsOf(lines: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let last: string | undefined;
  for (const line of lines === "" ? [] : lines.split("\n")) {
    const [, name, value = ""] = /^([\w.]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) settings.set(name, value);
    else if (last !== undefined) settings.set(last, `${settings.get(last)}\n${line}`);
    last = name ?? last;
  }
  return settings;
}

/**
 * The statement that makes a twin that nobody can log in as. A superuser's password cannot be disabled: it gets one that nobody knows.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
 */
export function createStatement(twin: string, isSuperuser: boolean): string {
  const password = isSuperuser ? literal(`md5${randomBytes(16).toString("hex")}`) : "DISABLE";
  return `CREATE USER ${identifier(twin)} PASSWORD ${password}`;
}

/** The statements that mark a twin. @see https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_GROUP.html */
export function markStatements(twin: string, hasMarkGroup: boolean): readonly string[] {
  return [
    ...(hasMarkGroup ? [] : [`CREATE GROUP ${markGroup}`]),
    `ALTER GROUP ${markGroup} ADD USER ${identifier(twin)}`,
  ];
}

/** What CREATE USER gives. */
const plain: Omit<User, "name" | "validUntil"> = {
  isSuperuser: false,
  mayCreateDatabases: false,
  connectionLimit: "UNLIMITED",
  syslogAccess: "RESTRICTED",
  sessionTimeout: 0,
  settings: new Map(),
  groups: new Set(),
  roles: new Map(),
};

/**
 * The statements, one for each difference, after which the twin has the original's attributes, settings, groups and roles.
 *
 * @param existing the twin as it is; absent: it was just created
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_USER.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_REVOKE.html
 */
export function userStatements(original: User, twin: string, existing: User | undefined): readonly string[] {
  const was = existing ?? plain;
  const user = identifier(twin);
  const differs = (key: keyof typeof plain) => original[key] !== was[key];
  const timeout = original.sessionTimeout;
  return [
    ...(differs("isSuperuser") ? [`ALTER USER ${user} ${original.isSuperuser ? "" : "NO"}CREATEUSER`] : []),
    ...(differs("mayCreateDatabases") ? [`ALTER USER ${user} ${original.mayCreateDatabases ? "" : "NO"}CREATEDB`] : []),
    ...(differs("connectionLimit") ? [`ALTER USER ${user} CONNECTION LIMIT ${original.connectionLimit}`] : []),
    ...(differs("syslogAccess") ? [`ALTER USER ${user} SYSLOG ACCESS ${original.syslogAccess}`] : []),
    ...(differs("sessionTimeout")
      ? [`ALTER USER ${user} ${timeout === 0 ? "RESET SESSION TIMEOUT" : `SESSION TIMEOUT ${timeout}`}`]
      : []),
    ...[...was.settings.keys()]
      .filter((name) => !original.settings.has(name))
      .map((name) => `ALTER USER ${user} RESET ${name}`),
    ...[...original.settings]
      .filter(([name, value]) => was.settings.get(name) !== value)
      .map(([name, value]) => `ALTER USER ${user} SET ${name} TO ${settingValue(name, value)}`),
    ...[...was.groups]
      .filter((group) => !original.groups.has(group))
      .map((group) => `ALTER GROUP ${identifier(group)} DROP USER ${user}`),
    ...[...original.groups]
      .filter((group) => !was.groups.has(group))
      .map((group) => `ALTER GROUP ${identifier(group)} ADD USER ${user}`),
    ...[...was.roles]
      .filter(([role]) => !original.roles.has(role))
      .map(([role]) => `REVOKE ROLE ${identifier(role)} FROM ${user}`),
    ...[...original.roles]
      .filter(([role, mayGrant]) => was.roles.get(role) !== mayGrant)
      .map(([role, mayGrant]) =>
        !mayGrant && was.roles.has(role)
          ? `REVOKE ADMIN OPTION FOR ROLE ${identifier(role)} FROM ${user}`
          : `GRANT ROLE ${identifier(role)} TO ${user}${mayGrant ? " WITH ADMIN OPTION" : ""}`,
      ),
  ];
}

/** The search path is stored as a list of names that are quoted where they have to be; as one literal it would become one name. */
function settingValue(name: string, value: string): string {
  if (name.toLowerCase() !== "search_path") return literal(value);
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "",
  );
  return names.length === 0 ? "''" : names.map(literal).join(", ");
}
