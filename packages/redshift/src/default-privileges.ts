import { type Change, difference } from "./difference.ts";
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

/**
 * What known rows say, apart from what an owner is listed to have on its own, and what is not listed: as long as a user has no entry for
 * functions, everybody may execute them.
 *
 * @param users whose defaults are asked for
 */
export function defaultPrivilegesOf(rows: readonly Row[], users: readonly string[]): readonly DefaultPrivilege[] {
  const hasEntry = (user: string) =>
    rows.some((row) => row.owner_name === user && row.object_type === "FUNCTION" && !row.schema_name);
  const builtIn = users
    .filter((user) => !hasEntry(user))
    .map((owner) => ({
      owner,
      schema: undefined,
      objects: "FUNCTIONS" as const,
      privilege: "EXECUTE",
      grantee: { type: "public" as const, name: "public" },
      isGrantable: false,
    }));
  const listed = rows.flatMap((row) => {
    const objects = kinds[String(row.object_type)];
    const type = row.grantee_type as DefaultPrivilege["grantee"]["type"];
    if (objects === undefined || (type === "user" && row.grantee_name === row.owner_name)) return [];
    return [
      {
        owner: String(row.owner_name),
        schema: row.schema_name ? String(row.schema_name) : undefined,
        objects,
        privilege: String(row.privilege_type),
        grantee: { type, name: type === "public" ? type : String(row.grantee_name) },
        isGrantable: isTrue(row.admin_option),
      },
    ];
  });
  return [...listed, ...builtIn];
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
 * The statements that lead from the existing default privileges to the wanted ones, and how many differ. Where somebody has too much, all of it
 * is taken and what is wanted given: ALTER DEFAULT PRIVILEGES has no REVOKE DROP.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html
 */
export function defaultPrivilegeStatements(
  wanted: readonly DefaultPrivilege[],
  existing: readonly DefaultPrivilege[],
): Change {
  const keyOf = ({ isGrantable: _, ...rest }: DefaultPrivilege) => JSON.stringify(rest);
  const holderOf = ({ owner, schema, objects, grantee }: DefaultPrivilege) =>
    JSON.stringify([owner, schema, objects, grantee]);
  const { revoked, reduced, added } = difference(wanted, existing, keyOf);
  const tooMuch = Map.groupBy([...revoked, ...reduced], holderOf);
  const granted = [...added, ...wanted.filter((each) => tooMuch.has(holderOf(each)))];
  const alike = Map.groupBy(new Map(granted.map((each) => [JSON.stringify(each), each])).values(), (each) =>
    JSON.stringify([holderOf(each), each.isGrantable]),
  );
  return {
    revocations: [...tooMuch.values()].flatMap(([first]) =>
      first ? [`${heading(first)} REVOKE ALL ON ${first.objects} FROM ${to(first.grantee)}`] : [],
    ),
    grants: [...alike.values()].flatMap((same) => {
      const [first] = same;
      if (!first) return [];
      const privileges = same.map(({ privilege }) => privilege).join(", ");
      const option = first.isGrantable ? " WITH GRANT OPTION" : "";
      return [`${heading(first)} GRANT ${privileges} ON ${first.objects} TO ${to(first.grantee)}${option}`];
    }),
    differences: revoked.length + reduced.length + added.length,
  };
}

function heading({ owner, schema }: DefaultPrivilege): string {
  return `ALTER DEFAULT PRIVILEGES FOR USER ${identifier(owner)}${schema === undefined ? "" : ` IN SCHEMA ${identifier(schema)}`}`;
}

function to({ type, name }: DefaultPrivilege["grantee"]): string {
  if (type === "public") return "PUBLIC";
  return type === "user" ? identifier(name) : `${type.toUpperCase()} ${identifier(name)}`;
}
