import { type RotationContext, RotationError } from "@quarterturn/core";
import type { Run } from "./connection.ts";
import { type Account, accountOf } from "./sql.ts";

/** What a server can do, as far as it matters here. */
export interface Product {
  readonly isMariadb: boolean;
  /** Whether a user can have two passwords: MySQL 8.0.14 and later. */
  readonly hasDualPasswords: boolean;
  /** Whether accounts can be marked (ALTER USER ... ATTRIBUTE) and be roles: MySQL 8.0.21 and later. */
  readonly hasAttributes: boolean;
}

/** What is known of a session's server and user. */
export interface Server extends Product {
  readonly account: Account;
}

/**
 * Makes a session's statements mean what they say, whatever the server's defaults and init_connect are, and asks who and where it is. The
 * encoding first: in one of another, a character of a password can end in a backslash, which its literal did not quote. A lock that somebody
 * holds is waited for as long as the statement may take, and not for the server's year.
 */
export async function prepareSession(
  run: Run,
  address: string,
  { deadline }: Pick<RotationContext, "deadline">,
): Promise<Server> {
  const doing = "preparing the session";
  const seconds = Math.max(1, Math.ceil(deadline.share() / 1_000));
  await run("SET NAMES utf8mb4", doing);
  await run(
    `SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION sql_select_limit = 18446744073709551615, SESSION lock_wait_timeout = ${seconds}`,
    doing,
  );
  await run("SET SESSION TRANSACTION READ WRITE", doing);
  const [row] = await run(
    "SELECT CURRENT_USER() AS account, VERSION() AS version, @@GLOBAL.read_only AS isReadOnly",
    "asking for the session's identity",
  );
  // Some admins may write there all the same, and what they write is on no other server. MariaDB from 12 on answers by a word.
  if (!["0", "OFF"].includes(String(row?.isReadOnly))) {
    throw new RotationError(
      "unsupported",
      `${address}: the server is read-only`,
      "This try changed nothing. Put the writer's host into the secret (and the admin's).",
    );
  }
  return { account: accountOf(String(row?.account)), ...productOf(String(row?.version)) };
}

/**
 * @param version what VERSION() says
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraMySQLReleaseNotes/AuroraMySQL.release-calendars.html
 */
export function productOf(version: string): Product {
  const isMariadb = version.includes("MariaDB");
  const isAtLeast = (wanted: readonly number[]) => !isMariadb && compare(numbersOf(version), wanted) >= 0;
  return { isMariadb, hasDualPasswords: isAtLeast([8, 0, 14]), hasAttributes: isAtLeast([8, 0, 21]) };
}

/** "8.0.36-log" is 8, 0, 36; of "8.0.mysql_aurora.3.04" the third is not known, and Aurora's have been above 21 from its first. */
function numbersOf(version: string): readonly number[] {
  return version.split(/[.-]/, 3).map((part) => (/^\d+$/.test(part) ? Number(part) : Number.POSITIVE_INFINITY));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = b.findIndex((number, i) => a[i] !== number);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}
