import { escapeLiteral } from "pg";

/** One setting that ALTER ROLE ... SET gave a role. */
export interface RoleSetting {
  /** The database that it is for; undefined for all. */
  readonly database: string | undefined;
  readonly name: string;
  /** As pg_db_role_setting holds it. */
  readonly value: string;
}

/** What a role is, as far as a twin must be like it. */
export interface Role {
  readonly name: string;
  readonly connectionLimit: number;
  /** ISO; `infinity` for none. */
  readonly validUntil: string;
  readonly isReplication: boolean;
  readonly settings: readonly RoleSetting[];
}

/** The two roles of a pair as the catalogue shows them. */
export interface RolePair {
  readonly original: Role | undefined;
  readonly twin: Role | undefined;
  /** Whether the twin is a direct member of the original: the mark of a twin, which a superuser does not bear by itself. */
  readonly isMember: boolean;
  /** Whether that membership lets it inherit and SET ROLE. */
  readonly isFullMember: boolean;
  /** What the twin has and the original has not. */
  readonly twinsOwn: TwinsOwn;
}

/** A pair whose original is there. */
export type WholePair = RolePair & { readonly original: Role };

/** What a twin has for itself: a session that acts as the original cannot use it, nor can the original. */
interface TwinsOwn {
  /** How many objects it owns. */
  readonly objects: number;
  /** How many objects name it in their rights. */
  readonly rights: number;
  /** The databases of these. */
  readonly databases: readonly string[];
  /** Roles, other than the original, that it is a member of. */
  readonly memberships: readonly string[];
}

/** The query for a pair; one row, read by `rolePairOf`. Everything that it reads is shared by all databases and readable by everybody. */
export function rolePairQuery(original: string, twin: string): string {
  const role = (name: string) => `(SELECT pg_catalog.json_build_object(
      'name', r.rolname, 'connectionLimit', r.rolconnlimit, 'isReplication', r.rolreplication,
      'validUntil', COALESCE(r.rolvaliduntil::pg_catalog.text, 'infinity'),
      'settings', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('database', d.datname, 'settings', s.setconfig))
        FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase WHERE s.setrole = r.oid))
    FROM pg_catalog.pg_roles r WHERE r.rolname = ${escapeLiteral(name)})`;
  const membership = `FROM pg_catalog.pg_auth_members m, pg_catalog.pg_roles o, pg_catalog.pg_roles t
      WHERE o.rolname = ${escapeLiteral(original)} AND t.rolname = ${escapeLiteral(twin)} AND m.roleid = o.oid AND m.member = t.oid`;
  // Before PostgreSQL 16 a membership had no options, and always both rights.
  const option = (name: string) => `COALESCE((pg_catalog.to_jsonb(m) ->> '${name}')::pg_catalog.bool, true)`;
  return `SELECT ${role(original)} AS original, ${role(twin)} AS twin,
    EXISTS (SELECT ${membership}) AS is_member,
    EXISTS (SELECT ${membership} AND ${option("inherit_option")} AND ${option("set_option")}) AS is_full_member,
    (SELECT pg_catalog.json_build_object(
        'objects', pg_catalog.count(*) FILTER (WHERE s.deptype = 'o'), 'rights', pg_catalog.count(*) FILTER (WHERE s.deptype = 'a'),
        'databases', COALESCE(pg_catalog.json_agg(DISTINCT d.datname) FILTER (WHERE d.oid IS NOT NULL), '[]'),
        'memberships', (SELECT COALESCE(pg_catalog.json_agg(g.rolname), '[]') FROM pg_catalog.pg_auth_members m, pg_catalog.pg_roles g, pg_catalog.pg_roles t
          WHERE t.rolname = ${escapeLiteral(twin)} AND m.member = t.oid AND g.oid = m.roleid AND g.rolname <> ${escapeLiteral(original)}))
      FROM pg_catalog.pg_roles t JOIN pg_catalog.pg_shdepend s ON s.refobjid = t.oid LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
      WHERE t.rolname = ${escapeLiteral(twin)} AND s.deptype IN ('o', 'a') AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
      AND s.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass) AS twins_own`;
}

export function rolePairOf(row: Record<string, unknown> | undefined): RolePair {
  return {
    original: roleOf(row?.original),
    twin: roleOf(row?.twin),
    isMember: row?.is_member === true,
    isFullMember: row?.is_full_member === true,
    twinsOwn: row?.twins_own as TwinsOwn,
  };
}

function roleOf(json: unknown): Role | undefined {
  if (!json) return undefined;
  const role = json as Omit<Role, "settings"> & { settings: { database: string | null; settings: string[] }[] | null };
  return {
    ...role,
    settings: (role.settings ?? []).flatMap(({ database, settings }) =>
      settings.map((setting) => {
        const equals = setting.indexOf("=");
        return { database: database ?? undefined, name: setting.slice(0, equals), value: setting.slice(equals + 1) };
      }),
    ),
  };
}
