import { RotationError } from "@quarterturn/core";
import { type Account, accountName } from "./sql.ts";

/**
 * What an account may do, as single rights: one privilege on one object (a column is part of its privilege), one role, or one exception (a
 * partial revoke). GRANT OPTION is a right of its own on each object; of dynamic privileges, PROXY and roles it is part of the right.
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
 * @throws RotationError `unsupported` for a line that is not of a known form, since rights that were not understood must not be copied by halves
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
    throw new RotationError(
      "unsupported",
      `SHOW GRANTS has a line of a form that is not known, for ${account}`,
      "No right was changed, since none may be copied by halves. Please report the server's version and the kind of right.",
    );
  }
  const [names = "", object = ""] = splitOutside(statement.slice(verb.length + 1, -grantee.length), " ON ");
  const withOption = option !== "";
  const list = splitOutside(names, ",").map((name) => name.trim());
  if (verb === "REVOKE") return list.map((name) => ({ is: "exception", name, object, withOption: false }));
  if (object === "") return list.map((name) => ({ is: "role", name, object, withOption }));
  const rights = list.flatMap(columnsApart).filter((name) => name !== "USAGE");
  const isGrantable = rights.some((name) => name === "PROXY" || isDynamicPrivilege(name, object));
  return [
    ...rights.map((name) => ({ is: "privilege", name, object, withOption: withOption && isGrantable }) as const),
    ...(withOption && !isGrantable ? [{ is: "privilege", name: grantOption, object, withOption: false } as const] : []),
  ];
}

/** They are global, and have an underscore in their names; so have columns, of which privileges are never global. */
const isDynamicPrivilege = (name: string, object: string) => object === "*.*" && name.includes("_");

/** Splits where the separator stands outside of backticks and parentheses. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const [piece] of text.matchAll(/`(?:[^`]|``)*`| ON |./gs)) {
    if (piece === "(") depth++;
    if (piece === ")") depth--;
    if (depth === 0 && piece === separator) parts.push("");
    else parts[parts.length - 1] += piece;
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
 * What both have is not touched, so that open sessions keep it: there are as many statements as there are objects with a difference.
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
  const keyOf = (right: Right) => JSON.stringify([right.is, right.name, right.object, right.withOption]);
  const [wantedKeys, existingKeys] = [new Set(wanted.map(keyOf)), new Set(existing.map(keyOf))];
  const wholeObjects = new Set(wanted.filter((right) => right.name === all).map(({ object }) => object));
  const isPartOfAll = (right: Right) =>
    right.is === "privilege" &&
    right.name !== grantOption &&
    !isDynamicPrivilege(right.name, right.object) &&
    wholeObjects.has(right.object);
  const hasExceptions = wanted.some(({ is }) => is === "exception");
  // Without the exceptions, which it does not get, a global privilege would be more than the original's.
  const isTooMuch = (right: Right) => !gets && hasExceptions && right.is === "privilege" && right.object === "*.*";
  const extra = existing.filter((right) => isTooMuch(right) || !(wantedKeys.has(keyOf(right)) || isPartOfAll(right)));
  const missing = gets ? wanted.filter((right) => !existingKeys.has(keyOf(right))) : [];
  const exceptions = (rights: readonly Right[]) => rights.filter(({ is }) => is === "exception");
  const others = (rights: readonly Right[]) => rights.filter(({ is }) => is !== "exception");
  // A role that the account keeps, but not WITH ADMIN OPTION, goes first; one that gives way to other rights, after it has them.
  const goesLast = ({ is, name }: Right) =>
    is === "role" && !wanted.some((right) => right.is === "role" && right.name === name);
  const grant = (right: Right) => grantStatement(right, name);
  const revoke = (right: Right) => revokeStatement(right, name);
  return [
    ...inOneStatement(gets ? exceptions(extra) : [], grant),
    ...inOneStatement(
      others(extra).filter((right) => !goesLast(right)),
      revoke,
    ),
    ...inOneStatement(others(missing), grant),
    ...inOneStatement(exceptions(missing), revoke),
    ...inOneStatement(extra.filter(goesLast), revoke),
  ];
}

/** One statement for what can be said in one: privileges on one object, or roles, with or without the option. */
function inOneStatement(rights: readonly Right[], statement: (right: Right) => string): string[] {
  const stands = ({ name }: Right) => (name === all || name === grantOption ? name : "");
  const groups = Map.groupBy(rights, (right) =>
    JSON.stringify([right.is, right.object, right.withOption, stands(right)]),
  );
  return [...groups.values()].flatMap(([first, ...rest]) =>
    first ? [statement({ ...first, name: [first, ...rest].map(({ name }) => name).join(", ") })] : [],
  );
}

function grantStatement({ is, name, object, withOption }: Right, account: string): string {
  if (is === "role") return `GRANT ${name} TO ${account}${withOption ? " WITH ADMIN OPTION" : ""}`;
  if (name === grantOption) return `GRANT USAGE ON ${object} TO ${account} WITH GRANT OPTION`;
  return `GRANT ${name} ON ${object} TO ${account}${withOption ? " WITH GRANT OPTION" : ""}`;
}

function revokeStatement({ is, name, object }: Right, account: string): string {
  return is === "role" ? `REVOKE ${name} FROM ${account}` : `REVOKE ${name} ON ${object} FROM ${account}`;
}
