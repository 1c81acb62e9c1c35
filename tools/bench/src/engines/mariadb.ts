import { startMariadb } from "@quarterturn-tools/engines";
import type { BenchEngine } from "../engine.ts";
import { mysqlApplication, mysqlServer } from "./mysql.ts";

/** A user has one password there, and multi-user is not for it. */
export const engine: BenchEngine = {
  folder: "packages/rds-mysql",
  isDatabase: true,
  windows: { "single-user": "refused" },
  handlerKb: 1_500,
  async start() {
    const server = await startMariadb();
    return mysqlServer("MariaDB", server, await server.connect(), []);
  },
  application: mysqlApplication,
};
