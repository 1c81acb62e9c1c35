import type { EngineContext, Login } from "@quarterturn/database";

/** One row of an answer: its columns by name, as they are named in the query. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** One SQL statement. */
export interface Statement {
  /**
   * Its text. Where it has parameters, `:name` stands for each, and nothing else in it begins with a colon: the Data API's own form, which
   * the wire transport numbers.
   */
  readonly sql: string;
  /** Values that are sent beside the text, none of them empty. CREATE, ALTER, GRANT and REVOKE take none. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** What it does, for the words of its error: `reading the two users`. */
  readonly doing: string;
  /** What an operator can do where a right is missing. */
  readonly remedy?: string;
}

/** An authenticated user of a database. It may be one connection, or nothing but credentials that were accepted once. */
export interface Connection {
  /** The user that the server takes this one for: `current_user`. */
  readonly user: string;
  /**
   * Runs the statements one after another in one transaction, which is committed after the last one. A session setting must not outlive it.
   * The Data API takes 40 at once: more of them are several transactions, each with the `SET LOCAL` that stand at the head.
   *
   * @returns the rows of each statement, none for one that is not a query
   * @throws RotationError `privilege`, `timeout`, `unreachable`, `unsupported` or `database`; nothing is changed then, except that a commit
   *   may have happened where no answer came. Its words name the statement by `doing`, and never quote a text of it
   */
  run(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>;
  /** Idempotent. @throws RotationError where a probe secret of the Data API could not be deleted */
  close(): Promise<void>;
}

/** A way to a Redshift database: what it is asked for is in these two, and what it is asked is the business of the session and the twin. */
export interface Transport {
  /**
   * Shows name and password to the server, and asks it who that is.
   *
   * @returns `rejected` where the server refused name or password, and for no other reason
   * @throws RotationError `unreachable`, `timeout`, `tls`, `privilege`, `bad-secret`, `busy`, `unsupported` or `database`
   */
  connect(login: Login, context: EngineContext): Promise<Connection | "rejected">;
}
