import { type EngineContext, type Login, whereOf } from "@quarterturn/database";
import { causeOf } from "@quarterturn/pg-wire";
import type { Client } from "pg";
import { statementError } from "./connection.ts";
import type { PasswordEncryption } from "./verifier.ts";

/** What is known of the connection's server and user. */
export interface Identity {
  readonly sessionUser: string;
  /** server_version_num, e.g. 180004 */
  readonly versionNumber: number;
  /**
   * How the server is configured to store passwords: md5 where clients may know nothing newer. A setting of the user or of the database
   * is not asked: whoever owns those could lock the user out by it.
   */
  readonly passwordEncryption: PasswordEncryption;
}

/** Runs one statement; `doing` and `remedy` (the statement that helps where a right is missing) make the words of its error. */
export type Run = (sql: string, doing: string, remedy?: string) => Promise<Record<string, unknown>[]>;

/**
 * Does the work in one transaction that distrusts what the database's users can configure: an owner of the database could otherwise
 * shadow a function or operator of pg_catalog and have the admin run it, and a user's own settings could make the session another
 * user's or read-only. The settings end with the transaction, so that a pooler's next client does not inherit them.
 *
 * The work is done again where another session changed the same rows at the same moment. After any other error the transaction is left
 * open, and ends with the session.
 *
 * @returns what the work returned, once it is committed
 */
export async function transaction<Result>(
  client: Client,
  login: Login,
  { deadline }: EngineContext,
  work: (run: Run, identity: Identity) => Promise<Result>,
): Promise<Result> {
  const where = whereOf(login);
  const run: Run = async (sql, doing, remedy) => {
    try {
      const query = { text: sql, query_timeout: deadline.share() };
      const result = await client.query(query);
      // pg answers several statements with an array of results, which its types do not say.
      return [result].flat().at(-1)?.rows ?? [];
    } catch (error) {
      throw statementError(error, where, doing, remedy);
    }
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const [identity] = await run(`${begin(deadline.share())}; ${identify}`, "beginning a transaction");
      const result = await work(run, {
        sessionUser: String(identity?.session_user),
        versionNumber: Number(identity?.version),
        passwordEncryption: ["md5", "on", "off"].includes(String(identity?.encryption)) ? "md5" : "scram-sha-256",
      });
      await run("COMMIT", "committing");
      return result;
    } catch (error) {
      if (attempt === 5 || !isConflict(error)) throw error;
      await run("ROLLBACK", "rolling back");
    }
  }
}

const begin = (milliseconds: number) =>
  [
    "BEGIN READ WRITE",
    "SET LOCAL search_path = pg_catalog, pg_temp",
    "SET LOCAL ROLE NONE",
    "SET LOCAL datestyle = ISO",
    "SET LOCAL lock_timeout = 0",
    `SET LOCAL statement_timeout = ${milliseconds}`,
    // A killed function may leave the connection open: the server must not keep the locks that the retry needs.
    `SET LOCAL idle_in_transaction_session_timeout = ${milliseconds}`,
  ].join("; ");

const identify = `SELECT session_user::pg_catalog.text,
  pg_catalog.current_setting('server_version_num') AS version,
  (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'password_encryption'
    AND source NOT IN ('database', 'user', 'database user', 'client', 'session')) AS encryption`;

/** "tuple concurrently updated" (an internal error for catalogue rows), a deadlock, or the other session created the role first. */
function isConflict(error: unknown): boolean {
  return ["XX000", "40001", "40P01", "23505", "42710"].includes(causeOf(error)?.code ?? "");
}
