/**
 * Redshift's statements in PostgreSQL's words, for tests: exactly those forms that this package sends, after Redshift's documentation; any
 * other is refused.
 *
 * | Redshift has | here it is |
 * | --- | --- |
 * | a role (RBAC) | a PostgreSQL role whose name begins with `role:` |
 * | a group | a PostgreSQL group, which is a role that cannot log in |
 * | SYSLOG ACCESS, SESSION TIMEOUT | settings of the user, `imitation.syslog_access` and `imitation.session_timeout` |
 * | CREATEUSER | SUPERUSER |
 * | the privileges DROP and ALTER on a table | TRIGGER and MAINTAIN, which Redshift does not have |
 * | default privileges ON PROCEDURES | those ON TYPES, since PostgreSQL has one entry for functions and procedures |
 * | enable_case_sensitive_identifier, describe_field_name_in_uppercase | nothing: PostgreSQL always keeps the case of a quoted name |
 */

const name = '"(?:[^"]|"")+"';
const text = "'(?:[^'\\\\]|''|\\\\\\\\)*'";
const privileges = "(?<privileges>[A-Z]+(?: \\((?<columns>NAME(?:, NAME)*)\\))?(?:, [A-Z]+)*)";
const listOf = (item: string) => `${item}(?:, ${item})*`;
const object = `(?:TABLE ${listOf("NAME\\.NAME")}|(?:SCHEMA|DATABASE|LANGUAGE) ${listOf("NAME")}|(?:FUNCTION|PROCEDURE) ${listOf("NAME\\.NAME\\([\\w ,\\[\\]]*\\)")})`;
const grantee = "(?:(?<granteeKind>GROUP |ROLE )?(?<grantee>NAME)|PUBLIC)";

/** The whole of a statement. NAME and TEXT stand for a quoted name and a literal. */
const form = (pattern: string) => new RegExp(`^${pattern.replaceAll("NAME", name).replaceAll("TEXT", text)}$`, "s");

const asTheyAre = [
  "BEGIN",
  "COMMIT",
  "SET LOCAL search_path TO pg_catalog",
  "SET LOCAL statement_timeout TO \\d+",
  "SELECT .*",
  "CREATE GROUP \\w+",
  "ALTER GROUP (?:NAME|\\w+) (?:ADD|DROP) USER NAME",
  "ALTER USER NAME (?:CREATEDB|NOCREATEDB|CONNECTION LIMIT \\d+)",
  "ALTER USER NAME SET [A-Za-z_.]+ TO TEXT(?:, TEXT)*",
  "ALTER USER NAME RESET [A-Za-z_.]+",
  "(?:CREATE|ALTER) USER NAME PASSWORD 'md5[0-9a-f]{32}'(?: VALID UNTIL TEXT)?",
].map(form);

type Words = Readonly<Record<string, string | undefined>>;

const translations: readonly (readonly [RegExp, (sql: string, words: Words) => string])[] = [
  [
    form("SET LOCAL (?:enable_case_sensitive_identifier TO true|describe_field_name_in_uppercase TO off)"),
    () => "SELECT",
  ],
  [form("CREATE USER NAME PASSWORD DISABLE"), (sql) => sql.replace(/DISABLE$/, "NULL")],
  [form("ALTER USER NAME (?:CREATEUSER|NOCREATEUSER)"), (sql) => sql.replace(/(NO)?CREATEUSER$/, "$1SUPERUSER")],
  [form("ALTER USER NAME CONNECTION LIMIT UNLIMITED"), (sql) => sql.replace(/UNLIMITED$/, "-1")],
  [
    form("ALTER USER NAME SYSLOG ACCESS (?:RESTRICTED|UNRESTRICTED)"),
    (sql) => sql.replace(/SYSLOG ACCESS (\w+)$/, "SET imitation.syslog_access TO '$1'"),
  ],
  [
    form("ALTER USER NAME SESSION TIMEOUT \\d+"),
    (sql) => sql.replace(/SESSION TIMEOUT (\d+)$/, "SET imitation.session_timeout TO '$1'"),
  ],
  [
    form("ALTER USER NAME RESET SESSION TIMEOUT"),
    (sql) => sql.replace(/RESET SESSION TIMEOUT$/, "RESET imitation.session_timeout"),
  ],
  [form("CREATE ROLE (?<role>NAME)"), (_sql, { role }) => `CREATE ROLE ${roleName(role)}`],
  [
    form("GRANT ROLE (?<role>NAME) TO (?<to>NAME(?: WITH ADMIN OPTION)?)"),
    (_sql, { role, to }) => `GRANT ${roleName(role)} TO ${to}`,
  ],
  [
    form("REVOKE (?<option>ADMIN OPTION FOR )?ROLE (?<role>NAME) FROM (?<from>NAME)"),
    (_sql, { option = "", role, from }) => `REVOKE ${option}${roleName(role)} FROM ${from}`,
  ],
  [form(`GRANT ${privileges} ON ${object} TO ${grantee}(?: WITH GRANT OPTION)?`), rights],
  [form(`REVOKE (?:GRANT OPTION FOR )?${privileges} ON ${object} FROM ${grantee}`), rights],
  [
    form(
      `ALTER DEFAULT PRIVILEGES FOR USER NAME(?: IN SCHEMA NAME)? (?:GRANT|REVOKE(?! [^"]*DROP)(?: GRANT OPTION FOR)?) ${privileges} ON (?<objects>TABLES|FUNCTIONS|PROCEDURES) (?:TO|FROM) ${grantee}(?: WITH GRANT OPTION)?`,
    ),
    defaultRights,
  ],
];

/** @throws Error for a statement that is not imitated */
export function translate(sql: string): string {
  if (asTheyAre.some((pattern) => pattern.test(sql))) return sql;
  for (const [pattern, translation] of translations) {
    const match = pattern.exec(sql);
    if (match) return translation(sql, match.groups ?? {});
  }
  throw new Error(`not imitated: ${sql}`);
}

const roleName = (quoted = '""') => `"role:${quoted.slice(1)}`;

function rights(sql: string, { privileges: listed = "", granteeKind, grantee: to = "" }: Words): string {
  return withGrantee(
    sql.replace(listed, () => postgresPrivileges(listed)),
    granteeKind,
    to,
  );
}

function defaultRights(
  sql: string,
  { privileges: listed = "", objects, granteeKind, grantee: to = "" }: Words,
): string {
  const renamed =
    objects === "PROCEDURES"
      ? sql.replace("EXECUTE ON PROCEDURES", "USAGE ON TYPES").replace("ALL ON PROCEDURES", "ALL ON TYPES")
      : sql.replace(`${listed} ON`, () => `${postgresPrivileges(listed)} ON`);
  return withGrantee(renamed, granteeKind, to);
}

const postgresPrivileges = (listed: string) =>
  listed.replace(/"(?:[^"]|"")+"|DROP|ALTER/g, (word) => ({ DROP: "TRIGGER", ALTER: "MAINTAIN" })[word] ?? word);

function withGrantee(sql: string, kind: string | undefined, to: string): string {
  if (kind === undefined) return sql;
  const at = sql.lastIndexOf(kind + to);
  return sql.slice(0, at) + (kind === "ROLE " ? roleName(to) : to) + sql.slice(at + kind.length + to.length);
}
