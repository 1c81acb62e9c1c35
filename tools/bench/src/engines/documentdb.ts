import { randomBytes } from "node:crypto";
import { startFerretdb } from "@quarterturn-tools/engines";
import { MongoClient, MongoServerError } from "mongodb";
import type { BenchEngine } from "../engine.ts";

/** Where the users belong. */
const dbname = "work";

export const engine: BenchEngine = {
  folder: "packages/documentdb",
  isDatabase: true,
  windows: { "single-user": "refused", "multi-user": "none" },

  async start() {
    const counted = { accepted: 0, refused: 0 };
    const server = await startFerretdb({ onLogin: ({ outcome }) => counted[outcome]++ });
    const root = await server.connect();
    const address = { host: server.host, port: server.port };
    return {
      title: `${server.version}, with roles imitated`,
      ...address,
      caFile: server.caFile,
      adminSecret: { ...server.admin, ...address },

      async createAccount(username) {
        const password = randomBytes(16).toString("hex");
        // The second stands for a custom role with that action.
        const roles = [
          { role: "readWrite", db: dbname },
          { role: "changeOwnPassword", db: "admin" },
        ];
        await root.db(dbname).command({ createUser: username, pwd: password, roles });
        return { username, password, ...address, dbname };
      },

      logins: async () => ({ ...counted }),
      [Symbol.asyncDispose]: () => server.close(),
    };
  },

  async application(caFile = "") {
    return async ({ host, port, username, password }) => {
      const client = new MongoClient(`mongodb://${host}:${port}/`, {
        auth: { username: String(username), password: String(password) },
        authSource: dbname,
        directConnection: true,
        retryWrites: false,
        tls: true,
        tlsCAFile: caFile,
      });
      try {
        await client.connect();
        return "accepted";
      } catch (error) {
        if (error instanceof MongoServerError && error.code === 18) return "refused";
        throw error;
      } finally {
        await client.close();
      }
    };
  },
};
