import { type Connection, type ConnectionOptions, createConnection } from "mysql2/promise";
import type { MysqlServer } from "./mysql-server.ts";

/** Makes connections to one server, and ends those that are still there. */
export interface MysqlConnections {
  readonly connect: MysqlServer["connect"];
  end(): Promise<void>;
}

/** @param defaults the server's address and TLS, and the admin's login */
export function mysqlConnections(defaults: ConnectionOptions): MysqlConnections {
  const connections = new Set<Connection>();
  return {
    async connect(options) {
      const connection = await createConnection({ ...defaults, ...options });
      connections.add(connection);
      // The server's end of it, when it stops; without a listener that would end this process.
      connection.on("error", () => connections.delete(connection));
      return connection;
    },
    async end() {
      for (const connection of connections) connection.destroy();
      connections.clear();
    },
  };
}
