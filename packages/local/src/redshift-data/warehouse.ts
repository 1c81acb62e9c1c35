/**
 * What runs the SQL: a cluster or workgroup, or what the caller plays it with. This package has no database driver of its own.
 */
export interface Warehouse {
  /**
   * Logs in. A rejection's message becomes the statement's `Error`, as the service shows it, e.g.
   * `FATAL: password authentication failed for user "app"`.
   */
  connect(login: WarehouseLogin): Promise<WarehouseSession>;
}

export interface WarehouseLogin {
  /** Exactly one of the two. */
  readonly clusterIdentifier?: string;
  readonly workgroupName?: string;
  readonly database: string;
  /** From AWSCURRENT of the request's SecretArn, as it was when the statement was submitted, or as it is when it starts. */
  readonly username: string;
  readonly password: string;
}

export interface WarehouseSession {
  /**
   * Runs one statement. A rejection's message becomes the statement's `Error`, e.g. `ERROR: permission denied for relation t`.
   * @param sql with the placeholders `$1`, `$2` ... for `values`
   */
  run(sql: string, values: readonly string[]): Promise<WarehouseResult>;
  /** Has the statement that runs end with an error. */
  cancel(): Promise<void>;
  /** What was not committed is rolled back. */
  close(): Promise<void>;
}

export interface WarehouseResult {
  /** Absent where the statement returns no rows by its kind. */
  readonly columns?: readonly { readonly name: string; readonly typeName: string }[];
  readonly rows: readonly (readonly FieldValue[])[];
  /** Rows returned or affected. */
  readonly rowCount: number;
}

export type FieldValue = null | boolean | number | string;
