import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DebianPackage } from "./debian-package.ts";

/** What differs between MySQL and MariaDB. */
export interface MysqlProduct {
  readonly title: "MySQL" | "MariaDB";
  readonly name: "mysql" | "mariadb";
  readonly debianPackage: DebianPackage;
  /** The environment variable that names a running server. */
  readonly urlVariable: string;
  /** In the unpacked packages: the dynamic linker, where the libraries are, and the server program. */
  readonly linker: string;
  readonly libraries: readonly string[];
  readonly program: string;
  /** Options of the server program that depend on where the packages are unpacked. */
  options(root: string): readonly string[];
  /** How a data folder is made: further options, and what the program reads from standard input. */
  initialise(root: string, initFile: string): Promise<{ readonly options: readonly string[]; readonly input: string }>;
}

export const MYSQL: MysqlProduct = {
  title: "MySQL",
  name: "mysql",
  debianPackage: { name: "mysql-server-core", suite: "unstable" },
  urlVariable: "MYSQL_URL",
  linker: "usr/lib64/ld-linux-x86-64.so.2",
  libraries: ["usr/lib/x86_64-linux-gnu", "usr/lib/mysql/private"],
  program: "usr/sbin/mysqld",
  options: (root) => [
    `--lc-messages-dir=${join(root, "usr/share/mysql")}`,
    `--plugin-dir=${join(root, "usr/lib/mysql/plugin")}`,
    "--mysqlx=OFF",
    "--secure-file-priv=NULL",
    "--innodb-redo-log-capacity=8M",
  ],
  initialise: async (_root, initFile) => ({
    options: ["--initialize-insecure", `--init-file=${initFile}`],
    input: "",
  }),
};

export const MARIADB: MysqlProduct = {
  title: "MariaDB",
  name: "mariadb",
  debianPackage: { name: "mariadb-server-core", suite: "bookworm" },
  urlVariable: "MARIADB_URL",
  linker: "lib64/ld-linux-x86-64.so.2",
  libraries: ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"],
  program: "usr/sbin/mariadbd",
  options: (root) => [`--lc-messages-dir=${join(root, "usr/share/mysql")}`, "--innodb-log-file-size=4M"],
  // As its own mariadb-install-db does it.
  initialise: async (root, initFile) => {
    const parts = ["mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data"];
    const tables = await Promise.all(parts.map((part) => readFile(join(root, `usr/share/mysql/${part}.sql`), "utf8")));
    // They make accounts of root's without a password. One statement a line.
    const clean = ["DELETE FROM global_priv WHERE User = 'root';", "DELETE FROM proxies_priv;"];
    const admin = await readFile(initFile, "utf8");
    return {
      options: ["--bootstrap"],
      input: ["CREATE DATABASE mysql;", "USE mysql;", ...tables, ...clean, admin].join("\n"),
    };
  },
};
