import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DebianPackage } from "./debian-package.ts";

/** What differs between MySQL and MariaDB. */
export interface MysqlProduct {
  readonly title: "MySQL" | "MariaDB";
  readonly name: "mysql" | "mariadb";
  /** By release: where its packages are. The first one is started where no other is asked for. */
  readonly releases: Readonly<Record<string, DebianPackage>>;
  /** The environment variable that names a running server. */
  readonly urlVariable: string;
  /** The environment variable that asks for another release. */
  readonly versionVariable: string;
  /** The server program in the unpacked packages. */
  readonly program: string;
  /** Options of the server program that depend on where the packages are unpacked. */
  options(root: string): readonly string[];
  /** How a data folder is made: further options, and what the program reads from standard input. */
  initialise(root: string, initFile: string): Promise<{ readonly options: readonly string[]; readonly input: string }>;
}

export const MYSQL: MysqlProduct = {
  title: "MySQL",
  name: "mysql",
  releases: {
    newest: { name: "mysql-server-core", archive: "Debian", suite: "unstable" },
    "8.4": { name: "mysql-server-core", archive: "Ubuntu", suite: "resolute" },
    "8.0": { name: "mysql-server-core-8.0", archive: "Ubuntu", suite: "noble" },
    "5.7": { name: "mysql-server-core-5.7", archive: "Ubuntu", suite: "bionic" },
  },
  urlVariable: "MYSQL_URL",
  versionVariable: "MYSQL_VERSION",
  program: "usr/sbin/mysqld",
  options: (root) => [
    `--lc-messages-dir=${join(root, "usr/share/mysql")}`,
    `--plugin-dir=${join(root, "usr/lib/mysql/plugin")}`,
    "--secure-file-priv=NULL",
    // Not known to 5.7.
    "--loose-mysqlx=OFF",
    "--loose-innodb-redo-log-capacity=8M",
  ],
  initialise: async (_root, initFile) => ({
    options: ["--initialize-insecure", `--init-file=${initFile}`],
    input: "",
  }),
};

/** What its folder and its files begin with: the releases up to 10.11 call themselves as MySQL does. */
const mariadbName = (root: string) => (existsSync(join(root, "usr/share/mariadb")) ? "mariadb" : "mysql");

export const MARIADB: MysqlProduct = {
  title: "MariaDB",
  name: "mariadb",
  releases: {
    "10.11": { name: "mariadb-server-core", archive: "Debian", suite: "bookworm" },
    "11.8": { name: "mariadb-server-core", archive: "Debian", suite: "trixie" },
    "10.6": { name: "mariadb-server-core-10.6", archive: "Ubuntu", suite: "jammy" },
  },
  urlVariable: "MARIADB_URL",
  versionVariable: "MARIADB_VERSION",
  program: "usr/sbin/mariadbd",
  options: (root) => [`--lc-messages-dir=${join(root, "usr/share", mariadbName(root))}`, "--innodb-log-file-size=4M"],
  // As its own mariadb-install-db does it.
  initialise: async (root, initFile) => {
    const name = mariadbName(root);
    const parts = ["system_tables", "performance_tables", "system_tables_data"].map((part) => `${name}_${part}.sql`);
    const tables = await Promise.all(parts.map((part) => readFile(join(root, "usr/share", name, part), "utf8")));
    // They make accounts of root's without a password. One statement a line.
    const clean = ["DELETE FROM global_priv WHERE User = 'root';", "DELETE FROM proxies_priv;"];
    const admin = await readFile(initFile, "utf8");
    return {
      options: ["--bootstrap"],
      input: ["CREATE DATABASE mysql;", "USE mysql;", ...tables, ...clean, admin].join("\n"),
    };
  },
};
