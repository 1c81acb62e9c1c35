import { expect, test } from "vitest";
import { rightQueries, rightsOf } from "./rights.ts";
import type { Row } from "./transport.ts";

/** The answers to all queries, of which these have rows; by a word of each query. */
function answers(rows: Readonly<Record<string, readonly Row[]>>): readonly (readonly Row[])[] {
  return rightQueries({ original: "app", twin: "app_clone" }).map(
    ({ sql }) => Object.entries(rows).find(([word]) => sql.includes(word))?.[1] ?? [],
  );
}

const routine = { namespace_name: "s", argument_types: "integer" };
const granted = { privilege_type: "EXECUTE", identity_name: "app", admin_option: false };

test("a routine is a procedure or a function, whoever owns it, and a model's function is left out", () => {
  const rights = rightsOf(
    answers({
      svv_function_privileges: ["f", "p", "m"].map((function_name) => ({ ...routine, function_name, ...granted })),
      pg_proc_info: [
        { ...routine, function_name: "p", kind: "p", language_name: "plpgsql", owner_name: "loader" },
        { ...routine, function_name: "m", kind: "f", language_name: "mlfunc", owner_name: "loader" },
        { ...routine, function_name: "own", kind: "f", language_name: "sql", owner_name: "app" },
        { ...routine, function_name: "model", kind: "f", language_name: "mlfunc", owner_name: "app" },
      ],
    }),
    "app",
  );
  expect(rights.granted.map(({ on, object }) => `${on} ${object}`)).toEqual([
    'ON FUNCTION "s"."f"(integer)',
    'ON PROCEDURE "s"."p"(integer)',
  ]);
  expect(rights.owned.map(({ on, object }) => `${on} ${object}`)).toEqual(['ON FUNCTION "s"."own"(integer)']);
});

test("a scoped permission is in the words of its scope, and a boolean may be a word", () => {
  const rights = rightsOf(
    answers({
      svv_schema_privileges: [
        {
          namespace_name: "s",
          privilege_scope: "SCHEMA",
          privilege_type: "USAGE",
          identity_name: "app",
          admin_option: "True",
        },
        {
          namespace_name: "s",
          privilege_scope: "TABLES",
          privilege_type: "SELECT",
          identity_name: "app",
          admin_option: "False",
        },
      ],
      svv_database_privileges: [
        {
          database_name: "d",
          privilege_scope: "SCHEMAS",
          privilege_type: "USAGE",
          identity_name: "app",
          admin_option: "t",
        },
      ],
    }),
    "app",
  );
  expect(rights.granted).toEqual([
    { privilege: "USAGE", on: "ON SCHEMA", object: '"s"', isGrantable: true },
    { privilege: "SELECT", on: "FOR TABLES IN SCHEMA", object: '"s"', isGrantable: false },
    { privilege: "USAGE", on: "FOR SCHEMAS IN DATABASE", object: '"d"', isGrantable: true },
  ]);
});
