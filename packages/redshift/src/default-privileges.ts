import { type Change, changeOf, difference } from "./difference.ts";
import { meansSomething } from "./rights.ts";
import { identifier, isTrue } from "./sql.ts";
import type { Row, Statement } from "./transport.ts";
import { needsSuperuser } from "./user.ts";

/** What one user's future objects are granted to somebody. */
export interface DefaultPrivilege {
  readonly owner: string;
  /** Undefined for all schemas. */
  readonly schema: string | undefined;
  readonly objects: "TABLES" | "FUNCTIONS" | "PROCEDURES";
  readonly privilege: string;
  readonly grantee: { readonly type: "user" | "role" | "group" | "public"; readonly name: string };
  readonly isGrantable: boolean;
}

/** @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_DEFAULT_PRIVILEGES.html */
export function defaultPrivilegeQuery(names: { original: string; twin: string }): Statement {
  return {
    sql: `SELECT schema_name, object_type, owner_name, privilege_type, grantee_name, grantee_type, admin_option
  FROM pg_catalog.svv_default_privileges
  WHERE (owner_name IN (:original, :twin) OR (grantee_type = 'user' AND grantee_name IN (:original, :twin)))
    AND ${meansSomething}`,
    parameters: names,
    doing: "reading the default privileges",
    remedy: needsSuperuser,
  };
}

const kinds: Readonly<Record<string, DefaultPrivilege["objects"]>> = {
  RELATION: "TABLES",
  FUNCTION: "FUNCTIONS",
  PROCEDURE: "PROCEDURES",
};

/** What known rows say, apart from what an owner is listed to have on its own. */
export function defaultPrivilegesOf(rows: readonly Row[]): readonly DefaultPrivilege[] {
  return rows.flatMap((row) => {
    const objects = kinds[String(row.object_type)];
    const type = row.grantee_type as DefaultPrivilege["grantee"]["type"];
    if (objects === undefined || (type === "user" && row.grantee_name === row.owner_name)) return [];
    return [
      {
        owner: String(row.owner_name),
        schema: row.schema_name ? String(row.schema_name) : undefined,
        objects,
        privilege: String(row.privilege_type),
        grantee: { type, name: String(row.grantee_name) },
        isGrantable: isTrue(row.admin_option),
      },
    ];
  });
}

/** What ALTER DEFAULT PRIVILEGES can grant: ALTER is not in it, and follows at the next rotation. */
const privilegesOn = {
  TABLES: ["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "DROP", "TRUNCATE"],
  FUNCTIONS: ["EXECUTE"],
  PROCEDURES: ["EXECUTE"],
} as const;

/** That each of the pair may use what the other creates, from the moment that it is there. */
function shared(original: string, twin: string): readonly DefaultPrivilege[] {
  return [
    [original, twin],
    [twin, original],
  ].flatMap(([owner = "", grantee = ""]) =>
    (["TABLES", "FUNCTIONS", "PROCEDURES"] as const).flatMap((objects) =>
      privilegesOn[objects].map((privilege) => ({
        owner,
        schema: undefined,
        objects,
        privilege,
        grantee: { type: "user" as const, name: grantee },
        isGrantable: false,
      })),
    ),
  );
}

/**
 * What there is to be for the twin: what is there for the original, as owner or as grantee, with the twin in its place; and that the two share
 * what they create.
 */
export function wantedDefaultPrivileges(
  existing: readonly DefaultPrivilege[],
  original: string,
  twin: string,
): readonly DefaultPrivilege[] {
  const isOf = ({ owner, grantee }: DefaultPrivilege, user: string) =>
    owner === user || (grantee.type === "user" && grantee.name === user);
  const inPlace = (user: string) => (user === original ? twin : user);
  const copies = existing
    .filter((each) => isOf(each, original) && !isOf(each, twin))
    .map((each) => ({
      ...each,
      owner: inPlace(each.owner),
      grantee: each.grantee.type === "user" ? { ...each.grantee, name: inPlace(each.grantee.name) } : each.grantee,
    }));
  return [...copies, ...shared(original, twin)];
}

/** What is there for the twin, as owner or as grantee. */
export function twinsDefaultPrivileges(
  existing: readonly DefaultPrivilege[],
  twin: string,
): readonly DefaultPrivilege[] {
  return existing.filter(({ owner, grantee }) => owner === twin || (grantee.type === "user" && grantee.name === twin));
}

/**
 * The statements that lead from the existing default privileges to the wanted ones, and how many differ.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html
 */
export function defaultPrivilegeStatements(
  wanted: readonly DefaultPrivilege[],
  existing: readonly DefaultPrivilege[],
): Change {
  const keyOf = ({ isGrantable: _, ...rest }: DefaultPrivilege) => JSON.stringify(rest);
  return changeOf(difference(wanted, existing, keyOf), {
    revoke: (entries) => written(entries, (what, { grantee }) => `REVOKE ${what} FROM ${to(grantee)}`),
    reduce: (entries) => written(entries, (what, { grantee }) => `REVOKE GRANT OPTION FOR ${what} FROM ${to(grantee)}`),
    grant: (entries) =>
      written(
        entries,
        (what, { grantee, isGrantable }) => `GRANT ${what} TO ${to(grantee)}${isGrantable ? " WITH GRANT OPTION" : ""}`,
      ),
  });
}

/** One statement for all privileges that differ in nothing else. */
function written(
  entries: readonly DefaultPrivilege[],
  clause: (what: string, entry: DefaultPrivilege) => string,
): readonly string[] {
  const alike = Map.groupBy(entries, ({ privilege: _, ...rest }) => JSON.stringify(rest));
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const schema = first.schema === undefined ? "" : ` IN SCHEMA ${identifier(first.schema)}`;
    const privileges = same.map(({ privilege }) => privilege).join(", ");
    const what = `${privileges} ON ${first.objects}`;
    return [`ALTER DEFAULT PRIVILEGES FOR USER ${identifier(first.owner)}${schema} ${clause(what, first)}`];
  });
}

function to({ type, name }: DefaultPrivilege["grantee"]): string {
  if (type === "public") return "PUBLIC";
  return type === "user" ? identifier(name) : `${type.toUpperCase()} ${identifier(name)}`;
}
