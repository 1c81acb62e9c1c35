import type { Row } from "./transport.ts";

/**
 * The words of the catalogue that a statement is made of, by their columns: those that GRANT and ALTER DEFAULT PRIVILEGES know. What another
 * word means can only be guessed, and a wrong guess would give somebody a right.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_DEFAULT_PRIVILEGES.html
 */
const known: Readonly<Record<string, RegExp>> = {
  privilege_type:
    /^(SELECT|INSERT|UPDATE|DELETE|REFERENCES|DROP|ALTER|TRUNCATE|CREATE|USAGE|TEMP|TEMPORARY|EXECUTE|RULE|TRIGGER)$/,
  privilege_scope: /^(DATABASE|SCHEMAS?|TABLES|FUNCTIONS|PROCEDURES|LANGUAGES|COPY JOBS)$/,
  argument_types: /^(?:[\w ,[\]]|"char")*$/,
  object_type: /^(RELATION|FUNCTION|PROCEDURE)$/,
  grantee_type: /^(user|role|group|public)$/,
};

/** What is not known in a row, as `COLUMN: VALUE`. */
export function unknownWord(row: Row): string | undefined {
  const unknown = Object.entries(known).find(([name, words]) => name in row && !words.test(String(row[name] ?? "")));
  // A grantee that was dropped may have no name.
  const isNameless = row.grantee_name === null && row.grantee_type !== "public";
  const column = unknown?.[0] ?? (isNameless ? "grantee_name" : undefined);
  return column && `${column}: ${row[column]}`;
}
