import type { AwsFigures } from "./figures.ts";
import type { Strategy } from "./row.ts";

type Credentials = Readonly<Record<string, unknown>>;

/** A kind of server that is measured: a file of `engines`. */
export interface BenchEngine {
  /** The rotator's package, from the repository's root: its handlers are bundled. */
  readonly folder: string;
  /** Whether it is held to what is asked of databases: so many calls, so many logins. */
  readonly isDatabase: boolean;
  /** The strategies that it has, and whether an application is refused while a rotation runs. */
  readonly windows: Partial<Readonly<Record<Strategy, "refused" | "none">>>;
  /** Figures of AWS's own function for the same job, where they were measured. */
  readonly aws?: Readonly<Record<Strategy, AwsFigures>>;
  /** The largest handler that is good, in KB; absent where no limit was set. */
  readonly handlerKb?: number;
  start(): Promise<BenchServer>;
  /**
   * What an application does, in a process of its own.
   *
   * @param caFile absent where the server speaks no TLS
   * @returns logs in with a secret's value and hangs up; throws where the server refuses for another reason than the credentials
   */
  application(caFile: string | undefined): Promise<(secret: Credentials) => Promise<"accepted" | "refused">>;
}

export interface BenchServer extends AsyncDisposable {
  /** What it is, with its version. */
  readonly title: string;
  readonly host: string;
  readonly port: number;
  readonly caFile?: string;
  readonly adminSecret: Credentials;
  /** @returns the value of the account's secret for the strategy, without the admin secret's ARN */
  createAccount(username: string, strategy: Strategy): Promise<Credentials>;
  /** All logins so far, as the server itself counts them. */
  logins(): Promise<{ readonly accepted: number; readonly refused: number }>;
  /** Present where the multi-user strategy could take longer for a user with more rights. */
  readonly growth?: Growing;
}

interface Growing {
  readonly cases: readonly GrowthCase[];
  dropUser(username: string): Promise<void>;
}

export interface GrowthCase {
  /** How the twin gets the original's rights, e.g. "by role". */
  readonly name: string;
  /** How often each size is measured. */
  readonly rounds: number;
  /** Gives the user rights on so many tables. */
  grantTables(username: string, tables: number): Promise<void>;
}
