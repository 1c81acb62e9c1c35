import type { Row, Statement } from "./transport.ts";

/** A name as a delimited identifier. @see https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A text as a literal: quotes and backslashes are doubled, as QUOTE_LITERAL does it. A server that did not read backslashes as escapes would
 * see another text, and never the end of this one.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_QUOTE_LITERAL.html
 */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
}

/**
 * What every list of statements begins with. No name is looked for but in pg_catalog, whatever search_path a user or a pooler's last client
 * has set; names of the catalogue mean what they say, where capital letters would be read as small ones; and the columns of an answer have
 * the names that the query gives them.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_search_path.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_describe_field_name_in_uppercase.html
 */
export const preamble: readonly Statement[] = [
  { sql: "SET LOCAL search_path TO pg_catalog", doing: "setting the search path" },
  { sql: "SET LOCAL enable_case_sensitive_identifier TO true", doing: "setting how names are read" },
  { sql: "SET LOCAL describe_field_name_in_uppercase TO off", doing: "setting how columns are named" },
];

/** A boolean of an answer, which a transport may give as a word. */
export function isTrue(value: Row[string] | undefined): boolean {
  return value === true || /^t(rue)?$/i.test(String(value));
}
