import type { Client } from "pg";
import type { ServerCertificate } from "./certificates.ts";
import type { DatabaseServer } from "./database-server.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { postgresAtUrl, urlFromEnvironment } from "./postgres-at-url.ts";
import type { PostgresVersion } from "./postgres-version.ts";

export interface PostgresServer extends DatabaseServer {
  /**
   * A connected client, to be ended by the caller; as admin, to database `postgres` if nothing else is asked for.
   * TLS is verified, so an expired certificate or one for another host is refused here too; without TLS only where the
   * server was asked to have none.
   */
  connect(options?: Partial<{ user: string; password: string; database: string }>): Promise<Client>;
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
