import { type Change, difference } from "./difference.ts";
import { identifier, isTrue } from "./sql.ts";
import type { Row, Statement } from "./transport.ts";
import { needsSuperuser } from "./user.ts";

/** A right on an object, in the words of GRANT. */
export interface Right {
  /** `SELECT`; of a column `SELECT ("name")`. */
  readonly privilege: string;
  /** What stands before the object: `ON TABLE`; of a scoped permission `FOR TABLES IN SCHEMA`. */
  readonly on: string;
  /** The object, quoted. */
  readonly object: string;
  /** WITH GRANT OPTION. */
  readonly isGrantable: boolean;
}

/** What one user of a pair has: what it was granted by name, and the rights of an owner on what it owns. */
export interface Rights {
  readonly granted: readonly Right[];
  readonly owned: readonly Right[];
}

/** What an owner may do and another can be granted. */
const ownersPrivileges = {
  table: ["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "DROP", "ALTER", "TRUNCATE"],
  view: ["SELECT"],
  schema: ["CREATE", "USAGE"],
  // Where data lies elsewhere (Spectrum, federated queries), which takes no other.
  externalSchema: ["USAGE"],
  database: ["CREATE", "TEMP"],
  routine: ["EXECUTE"],
} as const;

/** How the rows of one query are read. */
interface Source {
  readonly sql: string;
  readonly doing: string;
  /** Whose the row is. */
  readonly holder: (row: Row) => string;
  readonly granted?: (row: Row, routineKind: (row: Row) => string) => Omit<Right, "isGrantable">;
  readonly owned?: (row: Row, routineKind: (row: Row) => string) => readonly Omit<Right, "isGrantable">[];
}

const quoted = (value: Row[string] | undefined) => identifier(String(value));
const relation = (row: Row) => `${quoted(row.namespace_name)}.${quoted(row.relation_name)}`;
const routine = (row: Row) => `${quoted(row.namespace_name)}.${quoted(row.function_name)}(${row.argument_types ?? ""})`;
const scoped = (row: Row, kind: string) =>
  row.privilege_scope === kind ? `ON ${kind}` : `FOR ${row.privilege_scope} IN ${kind}`;
const all = (privileges: readonly string[], on: string, object: string) =>
  privileges.map((privilege) => ({ privilege, on, object }));

/** A view of the rights that were granted to users, roles and groups by name. */
function grantedIn(
  view: string,
  columns: string,
  what: string,
  granted: NonNullable<Source["granted"]>,
  where = "",
): Source {
  return {
    sql: `SELECT ${columns}, privilege_type, identity_name${view === "svv_column_privileges" ? "" : ", admin_option"}
  FROM pg_catalog.${view} WHERE identity_type = 'user' AND identity_name IN (:original, :twin)${where}`,
    doing: `reading the rights on ${what}`,
    holder: ({ identity_name }) => String(identity_name),
    granted,
  };
}

/** What a user owns. @param where what joins the owner `u`, and limits the rows */
function ownedIn(
  from: string,
  columns: string,
  where: string,
  what: string,
  owned: NonNullable<Source["owned"]>,
): Source {
  return {
    sql: `SELECT ${columns}, u.usename AS owner_name
  FROM pg_catalog.pg_user u, ${from}
  WHERE u.usename IN (:original, :twin) AND ${where}`,
    doing: `reading who owns ${what}`,
    holder: ({ owner_name }) => String(owner_name),
    owned,
  };
}

/** Names of the system's own schemas begin with `pg_`. */
const notSystems = "n.nspname NOT LIKE 'pg!_%' ESCAPE '!'";

/** GRANT ALL leaves them, and no other GRANT knows them: there are no rules and triggers in Redshift. */
export const meansSomething = "privilege_type NOT IN ('RULE', 'TRIGGER')";

/** The language of models' functions: rights on these are the models', which are not copied. */
const modelLanguage = "mlfunc";

/**
 * One query for each kind of right. The views show a superuser the rights of every user in the database that it is connected to; those on
 * databases of the whole cluster. Owners are in the catalogue that Redshift has from PostgreSQL 8.0.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RELATION_PRIVILEGES.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMN_PRIVILEGES.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_SCHEMA_PRIVILEGES.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_DATABASE_PRIVILEGES.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_FUNCTION_PRIVILEGES.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_LANUGAGE_PRIVILEGES.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_PG_PROC_INFO.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_SCHEMAS.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/t_scoped-permissions.html
 */
const sources: readonly Source[] = [
  grantedIn(
    "svv_relation_privileges",
    "namespace_name, relation_name",
    "tables",
    (row) => ({ privilege: String(row.privilege_type), on: "ON TABLE", object: relation(row) }),
    ` AND ${meansSomething}`,
  ),
  grantedIn("svv_column_privileges", "namespace_name, relation_name, column_name", "columns", (row) => ({
    privilege: `${row.privilege_type} (${quoted(row.column_name)})`,
    on: "ON TABLE",
    object: relation(row),
  })),
  grantedIn("svv_schema_privileges", "namespace_name, privilege_scope", "schemas", (row) => ({
    privilege: String(row.privilege_type),
    on: scoped(row, "SCHEMA"),
    object: quoted(row.namespace_name),
  })),
  grantedIn("svv_database_privileges", "database_name, privilege_scope", "databases", (row) => ({
    privilege: String(row.privilege_type),
    on: scoped(row, "DATABASE"),
    object: quoted(row.database_name),
  })),
  grantedIn("svv_function_privileges", "namespace_name, function_name, argument_types", "functions", (row, kindOf) => ({
    privilege: String(row.privilege_type),
    on: kindOf(row),
    object: routine(row),
  })),
  grantedIn(
    "svv_language_privileges",
    "language_name",
    "languages",
    (row) => ({ privilege: String(row.privilege_type), on: "ON LANGUAGE", object: quoted(row.language_name) }),
    ` AND language_name <> '${modelLanguage}'`,
  ),
  ownedIn(
    "pg_catalog.pg_class c, pg_catalog.pg_namespace n",
    "n.nspname AS namespace_name, c.relname AS relation_name, CAST(c.relkind AS varchar) AS kind",
    `c.relowner = u.usesysid AND c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'm') AND ${notSystems}`,
    "tables",
    (row) => all(row.kind === "r" ? ownersPrivileges.table : ownersPrivileges.view, "ON TABLE", relation(row)),
  ),
  ownedIn(
    "pg_catalog.pg_namespace n",
    "n.nspname AS namespace_name, n.oid IN (SELECT esoid FROM pg_catalog.svv_external_schemas) AS is_external",
    `n.nspowner = u.usesysid AND ${notSystems}`,
    "schemas",
    (row) =>
      all(
        isTrue(row.is_external) ? ownersPrivileges.externalSchema : ownersPrivileges.schema,
        "ON SCHEMA",
        quoted(row.namespace_name),
      ),
  ),
  ownedIn("pg_catalog.pg_database d", "d.datname AS database_name", "d.datdba = u.usesysid", "databases", (row) =>
    all(ownersPrivileges.database, "ON DATABASE", quoted(row.database_name)),
  ),
  {
    // All procedures and functions of models, since the view of rights does not tell them from functions.
    sql: `SELECT n.nspname AS namespace_name, p.proname AS function_name, pg_catalog.oidvectortypes(p.proargtypes) AS argument_types,
    CAST(p.prokind AS varchar) AS kind, l.lanname AS language_name, u.usename AS owner_name
  FROM pg_catalog.pg_user u, pg_catalog.pg_proc_info p, pg_catalog.pg_language l, pg_catalog.pg_namespace n
  WHERE (p.prokind = 'p' OR l.lanname = '${modelLanguage}' OR u.usename IN (:original, :twin))
    AND p.proowner = u.usesysid AND p.prolang = l.oid AND p.pronamespace = n.oid AND ${notSystems}`,
    doing: "reading who owns functions",
    holder: ({ owner_name }) => String(owner_name),
    owned: (row, kindOf) => all(ownersPrivileges.routine, kindOf(row), routine(row)),
  },
];

/** The queries, in the order that `rightsOf` reads. */
export function rightQueries(names: { original: string; twin: string }): readonly Statement[] {
  return sources.map(({ sql, doing }) => ({ sql, doing, parameters: names, remedy: needsSuperuser }));
}

/** Those of `rightQueries` that say who owns what: unlike the rest, they do not grow with what was granted. */
export function ownerQueries(names: { original: string; twin: string }): readonly Statement[] {
  return rightQueries(names).filter((_, index) => sources[index]?.owned);
}

/** What a user owns. @param answers the rows of `ownerQueries` */
export function ownedBy(answers: readonly (readonly Row[])[], user: string): Rights["owned"] {
  const owners = sources.filter(({ owned }) => owned);
  return rightsOf(
    sources.map((source) => answers[owners.indexOf(source)] ?? []),
    user,
  ).owned;
}

/**
 * The masking policies of the two users. Policies of row-level security are shown to sys:secadmin alone, whom a rotation does not ask to be.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ATTACHED_MASKING_POLICY.html
 */
export function maskQuery(names: { original: string; twin: string }): Statement {
  return {
    sql: `SELECT policy_name, schema_name, table_name, output_columns, grantee
  FROM pg_catalog.svv_attached_masking_policy WHERE grantee_type = 'user' AND grantee IN (:original, :twin)`,
    parameters: names,
    doing: "reading the masking policies",
    remedy: needsSuperuser,
  };
}

/** @param answers the rows of `rightQueries` */
export function rightsOf(answers: readonly (readonly Row[])[], user: string): Rights {
  const routines = answers.at(-1) ?? [];
  const procedures = new Set(routines.filter(({ kind }) => kind === "p").map(routine));
  const models = new Set(routines.filter(({ language_name }) => language_name === modelLanguage).map(routine));
  const kindOf = (row: Row) => (procedures.has(routine(row)) ? "ON PROCEDURE" : "ON FUNCTION");
  const granted: Right[] = [];
  const owned: Right[] = [];
  for (const [index, source] of sources.entries()) {
    for (const row of (answers[index] ?? []).filter((each) => source.holder(each) === user)) {
      if (source.granted) granted.push({ ...source.granted(row, kindOf), isGrantable: isTrue(row.admin_option) });
      owned.push(...(source.owned?.(row, kindOf) ?? []).map((right) => ({ ...right, isGrantable: false })));
    }
  }
  const isNoModels = ({ object }: Right) => !models.has(object);
  return { granted: granted.filter(isNoModels), owned: owned.filter(isNoModels) };
}

/**
 * What the twin is to be granted and what it has been, apart from what it owns itself: what the original was granted, and what the original
 * may do as an owner.
 */
export function twinsRights(original: Rights, twin: Rights): { wanted: readonly Right[]; existing: readonly Right[] } {
  const isTwins = isOwnedBy(twin);
  return {
    wanted: [...original.granted, ...original.owned].filter((right) => !isTwins(right)),
    existing: twin.granted.filter((right) => !isTwins(right)),
  };
}

/** What the original is to be granted of what the twin owns, and what of that it has been. Nothing is ever taken from the original. */
export function originalsRights(
  original: Rights,
  twin: Rights,
): { wanted: readonly Right[]; existing: readonly Right[] } {
  const wanted = new Set(twin.owned.map(keyOf));
  return { wanted: twin.owned, existing: original.granted.filter((right) => wanted.has(keyOf(right))) };
}

function isOwnedBy({ owned }: Rights): (right: Right) => boolean {
  const objects = new Set(owned.map(objectOf));
  return (right) => objects.has(objectOf(right));
}

const objectOf = ({ on, object }: Right) => `${on} ${object}`;
const keyOf = (right: Right) => `${right.privilege} ${objectOf(right)}`;

/** As many objects as one statement names: with the longest names it stays within Redshift's and the Data API's limits. */
const objectsOfStatement = 100;

/**
 * The statements that lead from the existing rights of a user to the wanted ones, and how many rights differ.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_REVOKE.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT-usage-notes.html
 */
export function rightStatements(
  user: string,
  { wanted, existing }: { readonly wanted: readonly Right[]; readonly existing: readonly Right[] },
): Change {
  const name = identifier(user);
  const { revoked, reduced, added } = difference(wanted, existing, keyOf);
  return {
    revocations: [
      ...listed(revoked).map((what) => `REVOKE ${what} FROM ${name}`),
      ...listed(reduced).map((what) => `REVOKE GRANT OPTION FOR ${what} FROM ${name}`),
    ],
    grants: [
      ...listed(added.filter(({ isGrantable }) => !isGrantable)).map((what) => `GRANT ${what} TO ${name}`),
      ...listed(added.filter(({ isGrantable }) => isGrantable)).map(
        (what) => `GRANT ${what} TO ${name} WITH GRANT OPTION`,
      ),
    ],
    differences: revoked.length + reduced.length + added.length,
  };
}

/** `SELECT ON TABLE "a"."b", "c"."d"`: the same right on several objects as one, except after IN, where Redshift takes one object. */
function listed(rights: readonly Right[]): readonly string[] {
  const alike = Map.groupBy(rights, ({ privilege, on }) => `${privilege} ${on}`);
  return [...alike].flatMap(([what, same]) => {
    const size = same[0]?.on.startsWith("FOR ") ? 1 : objectsOfStatement;
    const objects = same.map(({ object }) => object);
    return Array.from(
      { length: Math.ceil(objects.length / size) },
      (_, index) => `${what} ${objects.slice(index * size, (index + 1) * size).join(", ")}`,
    );
  });
}
