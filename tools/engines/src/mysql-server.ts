import type { Connection } from "mysql2/promise";
import type { ServerCertificate } from "./certificates.ts";
import type { DatabaseServer } from "./database-server.ts";
import { startDebianMysql } from "./debian-mysql.ts";
import { mysqlAtUrl } from "./mysql-at-url.ts";
import { MARIADB, MYSQL, type MysqlProduct } from "./mysql-product.ts";

export interface MysqlServer extends DatabaseServer {
  /**
   * A new connection of mysql2, to be ended by the caller; as admin, with no database, if nothing else is asked for. TLS is verified;
   * without TLS only where the server was asked to have none.
   */
  connect(options?: Partial<{ user: string; password: string; database: string }>): Promise<Connection>;
}

export interface MysqlOptions {
  /** Options of the server program, for example `{ "general-log": "ON" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: one that is valid for localhost, 127.0.0.1 and ::1. "none": a server without TLS. */
  readonly certificate?: ServerCertificate | "none";
}

/**
 * A MySQL server on this machine: the one of MYSQL_URL if it is set, otherwise a new one. Nothing of a new one outlives this process.
 *
 * @throws Error if it cannot be had or does not start, or if the environment's server cannot do what the options ask for
 */
export function startMysql(options: MysqlOptions = {}): Promise<MysqlServer> {
  return start(MYSQL, options);
}

/** The same for MariaDB, and MARIADB_URL. */
export function startMariadb(options: MysqlOptions = {}): Promise<MysqlServer> {
  return start(MARIADB, options);
}

function start(product: MysqlProduct, options: MysqlOptions): Promise<MysqlServer> {
  const url = process.env[product.urlVariable];
  return url ? mysqlAtUrl(product, url, options) : startDebianMysql(product, options);
}
