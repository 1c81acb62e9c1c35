import { type Account, accountName } from "./sql.ts";

/**
 * What an account may do, as single rights: one privilege on one object (a column is part of its privilege), one role, or one exception (a
 * partial revoke). GRANT OPTION is a right of its own on each object; of dynamic privileges and roles it is part of the right.
 */
export interface Right {
  readonly is: "privilege" | "role" | "exception";
  readonly name: string;
  /** As SHOW GRANTS writes it: *.*, `db`.*, PROCEDURE `db`.`p`; empty for a role. */
  readonly object: string;
  readonly withOption: boolean;
}

const grantOption = "GRANT OPTION";
const all = "ALL PRIVILEGES";

/**
 * The rights that SHOW GRANTS lists for an account, in a session whose sql_mode is empty.
 *
 * @see https://dev.mysql.com/doc/refman/9.7/en/show-grants.html
 * @throws Error for a line that is not of a known form, since rights that were not understood must not be copied by halves
 */
export function rightsOf(lines: readonly string[], account: Account): readonly Right[] {
  return lines.flatMap((line) => rightsOfLine(line, accountName(account)));
}

function rightsOfLine(line: string, account: string): Right[] {
  const option = / WITH (?:GRANT|ADMIN) OPTION$/.exec(line)?.[0] ?? "";
  const statement = line.slice(0, line.length - option.length);
  const verb = statement.startsWith("GRANT ") ? "GRANT" : "REVOKE";
  const grantee = `${verb === "GRANT" ? " TO " : " FROM "}${account}`;
  if (!statement.startsWith(`${verb} `) || !statement.endsWith(grantee)) {
    throw new Error(`SHOW GRANTS has a line of a form that is not known, for ${account}`);
  }
  const [names = "", object = ""] = splitOutside(statement.slice(verb.length + 1, -grantee.length), " ON ");
  const withOption = option !== "";
  const list = splitOutside(names, ",").map((name) => name.trim());
  if (verb === "REVOKE") return list.map((name) => ({ is: "exception", name, object, withOption: false }));
  if (object === "") return list.map((name) => ({ is: "role", name, object, withOption }));
  const rights = list.flatMap(columnsApart).filter((name) => name !== "USAGE");
  const isDynamic = rights.some((name) => name.includes("_"));
  return [
    ...rights.map((name) => ({ is: "privilege", name, object, withOption: withOption && isDynamic }) as const),
    ...(withOption && !isDynamic ? [{ is: "privilege", name: grantOption, object, withOption: false } as const] : []),
  ];
}

/** Splits where the separator stands outside of backticks and parentheses. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [""];
  let depth = 0;
  for (let i = 0; i < text.length; ) {
    const quoted = /^`(?:[^`]|``)*`/.exec(text.slice(i))?.[0];
    const isSeparator = depth === 0 && text.startsWith(separator, i);
    const piece = quoted ?? (isSeparator ? separator : text.charAt(i));
    if (piece === "(") depth++;
    if (piece === ")") depth--;
    if (isSeparator) parts.push("");
    else parts[parts.length - 1] += piece;
    i += piece.length;
  }
  return parts;
}

/** "INSERT (`a`, `b`)" is INSERT (`a`) and INSERT (`b`). */
function columnsApart(privilege: string): string[] {
  const [, name, columns] = /^([^(`]+) \((.*)\)$/s.exec(privilege) ?? [];
  if (name === undefined || columns === undefined) return [privilege];
  return splitOutside(columns, ",").map((column) => `${name} (${column.trim()})`);
}

/**
 * The statements after which an account has no right that the wanted ones do not have, and, unless it gets them in another way, all of them.
 * What both have is not touched, so that open sessions keep it.
 *
 * @param gets whether missing rights are granted
 */
export function reconcile(
  wanted: readonly Right[],
  existing: readonly Right[],
  account: Account,
  gets: boolean,
): readonly string[] {
  const name = accountName(account);
  const same = (a: Right) => (b: Right) =>
    a.is === b.is && a.name === b.name && a.object === b.object && a.withOption === b.withOption;
  const hasAll = (right: Right) =>
    right.is === "privilege" &&
    right.name !== grantOption &&
    !right.name.includes("_") &&
    wanted.some((other) => other.name === all && other.object === right.object);
  const hasExceptions = wanted.some(({ is }) => is === "exception");
  // Without the exceptions, which it does not get, a global privilege would be more than the original's.
  const isTooMuch = (right: Right) => !gets && hasExceptions && right.is === "privilege" && right.object === "*.*";
  const extra = existing.filter((right) => isTooMuch(right) || !(wanted.some(same(right)) || hasAll(right)));
  const missing = gets ? wanted.filter((right) => !existing.some(same(right))) : [];
  const exceptions = (rights: readonly Right[]) => rights.filter(({ is }) => is === "exception");
  const others = (rights: readonly Right[]) => rights.filter(({ is }) => is !== "exception");
  return [
    ...exceptions(extra)
      .filter(() => gets)
      .map((right) => `GRANT ${right.name} ON ${right.object} TO ${name}`),
    ...others(extra).map(({ is, name: right, object }) =>
      is === "role" ? `REVOKE ${right} FROM ${name}` : `REVOKE ${right} ON ${object} FROM ${name}`,
    ),
    ...others(missing).map((right) => grantStatement(right, name)),
    ...exceptions(missing).map((right) => `REVOKE ${right.name} ON ${right.object} FROM ${name}`),
  ];
}

function grantStatement({ is, name, object, withOption }: Right, account: string): string {
  if (is === "role") return `GRANT ${name} TO ${account}${withOption ? " WITH ADMIN OPTION" : ""}`;
  if (name === grantOption) return `GRANT USAGE ON ${object} TO ${account} WITH GRANT OPTION`;
  return `GRANT ${name} ON ${object} TO ${account}${withOption ? " WITH GRANT OPTION" : ""}`;
}
