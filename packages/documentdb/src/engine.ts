import type { Engine } from "@quarterturn/database";
import { connect } from "./connection.ts";
import { manifest } from "./manifest.ts";
import { openSession } from "./session.ts";

/** DocumentDB, and whatever else speaks MongoDB's protocol and has its users. */
export const documentdb: Engine = {
  manifest,

  async login(login, context) {
    const connection = await connect(login, context);
    return connection === "rejected" ? connection : openSession(connection, context);
  },

  async probe(login, context) {
    const connection = await connect(login, context);
    if (connection === "rejected") return connection;
    await connection.close();
    return { userKeys: connection.login.userKeys };
  },
};
