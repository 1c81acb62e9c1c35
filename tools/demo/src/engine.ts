import type { LoginLog } from "./login-log.ts";
import type { Story } from "./story.ts";

export type Strategy = "single-user" | "multi-user";

/** A kind of server that the demo shows: a file of `engines`. */
export interface DemoEngine {
  readonly story: Story;
  /** What the Lambda functions' code would be: URLs of modules that export `handler`. */
  readonly handlers: Readonly<Record<Strategy, string>>;
  /** Whether the first start fetches the server, which stays in the temporary folder for the next one. */
  readonly isFetched?: boolean;
  /** Starts the server, and makes an account for the application and an admin, as they would be in AWS. */
  start(): Promise<DemoServer>;
}

/** A running server with its accounts. When it is disposed of, nothing of it is left. */
export interface DemoServer extends AsyncDisposable {
  /** What it is, with its version, e.g. "PostgreSQL 18.4". */
  readonly title: string;
  readonly host: string;
  readonly port: number;
  /** PEM file of the authority that signed the server's certificate; absent where it speaks no TLS. */
  readonly caFile?: string;
  readonly adminSecret: Readonly<Record<string, unknown>>;
  /** The secret that each strategy rotates, as people write it by hand: one and the same where that is possible. */
  secrets(adminSecretArn: string): Readonly<Record<Strategy, NamedSecret>>;
  /**
   * Does the application's work with the secret's value: logs in, does something and hangs up.
   *
   * @returns `refused` where the server did not take the credentials
   * @throws Error where anything else went wrong
   */
  use(secret: Readonly<Record<string, unknown>>): Promise<"accepted" | "refused">;
  readonly loginLog: LoginLog;
}

export interface NamedSecret {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
}
