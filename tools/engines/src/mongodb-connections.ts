import { MongoClient } from "mongodb";
import type { MongodbServer } from "./ferretdb-server.ts";

/** Makes clients of one server, and closes those that are still there. */
export interface MongodbConnections {
  readonly connect: MongodbServer["connect"];
  end(): Promise<void>;
}

/** @param server `ca` undefined: a server without TLS */
export function mongoConnections(
  server: Pick<MongodbServer, "host" | "port" | "admin"> & { readonly ca: string | undefined },
): MongodbConnections {
  const { host, port, admin, ca } = server;
  const clients = new Set<MongoClient>();
  return {
    async connect({ user = admin.username, password = admin.password, authSource = "admin" } = {}) {
      const client = new MongoClient(`mongodb://${host.includes(":") ? `[${host}]` : host}:${port}/`, {
        auth: { username: user, password },
        authSource,
        directConnection: true,
        retryWrites: false,
        serverSelectionTimeoutMS: 5_000,
        ...(ca === undefined ? {} : { tls: true, ca }),
      });
      clients.add(client);
      client.on("close", () => clients.delete(client));
      try {
        return await client.connect();
      } catch (error) {
        await client.close();
        throw error;
      }
    },
    async end() {
      await Promise.all([...clients].map((client) => client.close()));
    },
  };
}
