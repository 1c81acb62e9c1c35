import pg from "pg";
import type { PostgresServer } from "./postgres-server.ts";

/** Makes clients of one server, and ends those that are still there. */
export interface PostgresConnections {
  readonly connect: PostgresServer["connect"];
  end(): Promise<void>;
}

/** @param defaults the server's address and TLS, and the admin's login */
export function postgresConnections(defaults: pg.ClientConfig): PostgresConnections {
  const clients = new Set<pg.Client>();
  return {
    async connect(options) {
      const client = new pg.Client({ ...defaults, ...options });
      await client.connect();
      clients.add(client);
      client.once("end", () => clients.delete(client));
      return client;
    },
    async end() {
      await Promise.all([...clients].map((client) => client.end()));
    },
  };
}
