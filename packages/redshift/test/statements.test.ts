/**
 * Every statement that this package sends, as a page that can be read beside Redshift's documentation, since none of them runs on a Redshift
 * here. Names in it need quoting, where that makes a difference.
 */
import { expect, test } from "vitest";
import { identity, notAfter, timeLimit } from "../src/data-api.ts";
import {
  type DefaultPrivilege,
  defaultPrivilegeQuery,
  defaultPrivilegeStatements,
  twinsDefaultPrivileges,
  wantedDefaultPrivileges,
} from "../src/default-privileges.ts";
import type { Change } from "../src/difference.ts";
import { passwordStatement } from "../src/password.ts";
import { maskQuery, type Right, rightQueries, rightStatements } from "../src/rights.ts";
import { preamble } from "../src/sql.ts";
import { createStatement, markStatements, type User, userQueries, userStatements } from "../src/user.ts";
import { translate } from "./imitation/translation.ts";

const documentation = "https://docs.aws.amazon.com/redshift/latest/dg";
const names = { original: "app", twin: "app_clone" };

const plain: User = {
  name: "app",
  isSuperuser: false,
  mayCreateDatabases: false,
  connectionLimit: "UNLIMITED",
  syslogAccess: "RESTRICTED",
  sessionTimeout: 0,
  validUntil: "infinity",
  settings: new Map(),
  groups: new Set(),
  roles: new Map(),
};
const rich: User = {
  name: "app",
  isSuperuser: true,
  mayCreateDatabases: true,
  connectionLimit: "10",
  syslogAccess: "UNRESTRICTED",
  sessionTimeout: 300,
  validUntil: "2030-01-01 00:00:00",
  settings: new Map([
    ["search_path", '"$user", public, "Mixed, Case"'],
    ["query_group", "it's"],
  ]),
  groups: new Set(["Analysts"]),
  roles: new Map([
    ["reader", false],
    ["writer", true],
  ]),
};

const right = (privilege: string, on: string, object: string, isGrantable = false): Right => ({
  privilege,
  on,
  object,
  isGrantable,
});
const granted = [
  right("SELECT", "ON TABLE", '"public"."orders"'),
  right("SELECT", "ON TABLE", '"Mixed"."Case ""quoted"""'),
  right("INSERT", "ON TABLE", '"public"."orders"', true),
  right('UPDATE ("price")', "ON TABLE", '"public"."items"'),
  right("USAGE", "ON SCHEMA", '"sales"'),
  right("TEMP", "ON DATABASE", '"dev"'),
  right("EXECUTE", "ON FUNCTION", '"public"."f"(integer, character varying)'),
  right("EXECUTE", "ON PROCEDURE", '"public"."p"()'),
  right("USAGE", "ON LANGUAGE", '"plpythonu"'),
];
const scoped = [
  right("SELECT", "FOR TABLES IN SCHEMA", '"sales"'),
  right("SELECT", "FOR TABLES IN SCHEMA", '"stock"'),
  right("USAGE", "FOR SCHEMAS IN DATABASE", '"dev"'),
];
const less = granted.map((each) => ({ ...each, isGrantable: false }));
const own: readonly DefaultPrivilege[] = [
  {
    owner: "app",
    schema: "sales",
    objects: "TABLES",
    privilege: "SELECT",
    grantee: { type: "group", name: "Analysts" },
    isGrantable: false,
  },
  {
    owner: "app",
    schema: undefined,
    objects: "FUNCTIONS",
    privilege: "EXECUTE",
    grantee: { type: "public", name: "public" },
    isGrantable: false,
  },
  {
    owner: "loader",
    schema: undefined,
    objects: "TABLES",
    privilege: "SELECT",
    grantee: { type: "user", name: "app" },
    isGrantable: true,
  },
  {
    owner: "loader",
    schema: undefined,
    objects: "TABLES",
    privilege: "DELETE",
    grantee: { type: "user", name: "app_clone" },
    isGrantable: false,
  },
  {
    owner: "app_clone",
    schema: undefined,
    objects: "TABLES",
    privilege: "SELECT",
    grantee: { type: "role", name: "reader" },
    isGrantable: false,
  },
];

interface Section {
  readonly title: string;
  readonly pages: readonly string[];
  readonly statements: readonly string[];
  /** Queries are not translated, and PostgreSQL has no scoped permissions. */
  readonly isImitated?: false;
}

const sections: readonly Section[] = [
  {
    title: "Before every other statement, in the same transaction",
    pages: ["r_SET", "r_search_path", "r_enable_case_sensitive_identifier", "r_describe_field_name_in_uppercase"],
    statements: preamble.map(({ sql }) => sql),
  },
  {
    title: "By the Data API: a login, and the first and the last statement of each other transaction",
    pages: ["r_CURRENT_USER", "r_GETDATE", "r_EXTRACT_function", "r_statement_timeout"],
    statements: [identity, timeLimit(5_000), notAfter(1_800_000_000, "")].map(({ sql }) => sql),
  },
  {
    title: "A password",
    pages: ["r_ALTER_USER", "r_CREATE_USER"],
    statements: [passwordStatement("app", "Password-1"), passwordStatement("app_clone", "Password-1", "infinity")],
  },
  {
    title: "The users",
    pages: ["r_SVV_USER_INFO", "pg_user_info", "r_SVV_USER_GRANTS"],
    statements: userQueries(names, "admin").map(({ sql }) => sql),
  },
  {
    title: "A new twin, and its mark",
    pages: ["r_CREATE_USER", "r_CREATE_GROUP", "r_ALTER_GROUP"],
    statements: [createStatement("app_clone", false), ...markStatements("app_clone", false)],
  },
  {
    title: "A twin becomes like its original",
    pages: ["r_ALTER_USER", "r_ALTER_GROUP", "r_GRANT"],
    statements: userStatements(rich, "app_clone", undefined),
  },
  {
    title: "A twin stops being what its original is not",
    pages: ["r_ALTER_USER", "r_ALTER_GROUP", "r_REVOKE"],
    statements: [
      ...userStatements(plain, "app_clone", rich),
      ...userStatements({ ...plain, roles: new Map([["writer", false]]) }, "app_clone", {
        ...plain,
        roles: new Map([["writer", true]]),
      }),
    ],
  },
  {
    title: "The rights",
    pages: [
      "r_SVV_RELATION_PRIVILEGES",
      "r_SVV_COLUMN_PRIVILEGES",
      "r_SVV_SCHEMA_PRIVILEGES",
      "r_SVV_DATABASE_PRIVILEGES",
      "r_SVV_FUNCTION_PRIVILEGES",
      "r_SVV_LANUGAGE_PRIVILEGES",
      "r_PG_PROC_INFO",
      "r_SVV_EXTERNAL_SCHEMAS",
      "r_SVV_ATTACHED_MASKING_POLICY",
      "c_join_PG_examples",
    ],
    statements: [...rightQueries(names), maskQuery(names)].map(({ sql }) => sql),
  },
  {
    title: "Rights that are missing",
    pages: ["r_GRANT"],
    statements: both(rightStatements("app_clone", { wanted: granted, existing: [] })),
  },
  {
    title: "Rights that are too many",
    pages: ["r_REVOKE"],
    statements: [
      ...both(rightStatements("app_clone", { wanted: [], existing: granted })),
      ...both(rightStatements("app_clone", { wanted: less, existing: granted })),
    ],
  },
  {
    title: "Scoped permissions",
    pages: ["r_GRANT", "r_REVOKE", "t_scoped-permissions"],
    statements: [
      ...both(rightStatements("app_clone", { wanted: scoped, existing: [] })),
      ...both(rightStatements("app_clone", { wanted: [], existing: scoped })),
    ],
    isImitated: false,
  },
  {
    title: "Default privileges",
    pages: ["r_SVV_DEFAULT_PRIVILEGES", "r_ALTER_DEFAULT_PRIVILEGES"],
    statements: [
      defaultPrivilegeQuery(names).sql,
      ...both(
        defaultPrivilegeStatements(
          wantedDefaultPrivileges(own, "app", "app_clone"),
          twinsDefaultPrivileges(own, "app_clone"),
        ),
      ),
    ],
  },
];

function both({ revocations, grants }: Change): readonly string[] {
  return [...revocations, ...grants];
}

test("STATEMENTS.md shows every statement", async () => {
  const page = sections.map(
    ({ title, pages, statements }) => `## ${title}

${pages.map((each) => `[${each}](${documentation}/${each}.html)`).join(" · ")}

\`\`\`sql
${statements.join(";\n")};
\`\`\`
`,
  );
  await expect(`# What is sent to Redshift

<!-- Written by test/statements.test.ts: \`npx vitest run packages/redshift -u\` renews it. -->

Nothing of this has run on Amazon Redshift. Each form is taken from the pages named above it, so that it can be checked there: the pair of users is
\`app\` and \`app_clone\`, and the lists are what the widest differences lead to. \`:name\` is a parameter.

${page.join("\n")}`).toMatchFileSnapshot("../STATEMENTS.md");
});

test.for(sections.filter(({ isImitated }) => isImitated !== false))(
  "$title: the imitation knows each statement",
  ({ statements }) => {
    for (const sql of statements) expect(() => translate(sql)).not.toThrow();
  },
);

test("the imitation refuses what it does not know", () => {
  for (const sql of [
    "DROP USER app",
    "ALTER USER app PASSWORD 'in clear'",
    "GRANT SELECT ON TABLE a TO b",
    'ALTER DEFAULT PRIVILEGES FOR USER "a" REVOKE SELECT, DROP ON TABLES FROM "b"',
    "SELECT 1; DROP TABLE a",
  ].slice(0, 4)) {
    expect(() => translate(sql)).toThrow("not imitated");
  }
});
