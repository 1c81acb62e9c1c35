import type { Client } from "pg";
import type { ServerCertificate } from "./certificates.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { postgresAtUrl, urlFromEnvironment } from "./postgres-at-url.ts";
import type { PostgresVersion } from "./postgres-version.ts";

export interface PostgresServer extends AsyncDisposable {
  /** What the server says, for example "18.4". */
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** A superuser with a SCRAM password. */
  readonly admin: { readonly username: string; readonly password: string };
  /** PEM file of the authority that signed the server's certificate, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** The content of `caFile`. */
  readonly ca: string;
  /** The server's log. Throws for a server that was named by a URL. */
  readonly logFile: string;
  /**
   * A connected client, to be ended by the caller; as admin, to database `postgres` if nothing else is asked for.
   * TLS is verified, so an expired certificate or one for another host is refused here too; without TLS only where the
   * server was asked to have none.
   */
  connect(options?: Partial<{ user: string; password: string; database: string }>): Promise<Client>;
  /** Stops the server at once, its clients' connections included, and removes its files. Idempotent. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  /** Default: 18. */
  readonly version?: PostgresVersion;
  /** Settings of postgresql.conf, for example `{ log_statement: "all" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The lines of pg_hba.conf. Default: SCRAM for everybody from this machine, with TLS and without. */
  readonly hba?: readonly string[];
  /** Default: one that is valid for localhost, 127.0.0.1 and ::1. "none": a server without TLS. */
  readonly certificate?: ServerCertificate | "none";
  /** A hot standby that follows nobody: it answers queries, and takes no change. */
  readonly isStandby?: boolean;
}

/**
 * A PostgreSQL server on this machine: the one whose URL the environment gives, otherwise a new one. Nothing of a new
 * one outlives this process.
 *
 * @throws Error if the version is not installed, if the server does not start, or if the environment's server cannot do
 * what the options ask for
 */
export function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const given = urlFromEnvironment(options.version, process.env);
  return given === undefined ? startEmbeddedPostgres(options) : postgresAtUrl(given, options);
}
