import { choiceSetting, type Environment } from "@quarterturn/core";
import type { Engine } from "@quarterturn/database";
import { connect } from "./connection.ts";
import { manifest } from "./manifest.ts";
import { openSession } from "./session.ts";

/** MySQL and MariaDB, as RDS and Aurora run them. @throws RotationError `bad-setting` */
export function mysql(env: Environment): Engine {
  return {
    manifest,
    discardsOldPassword: choiceSetting(env, "OLD_PASSWORD", "keep", ["keep", "discard"]) === "discard",

    async login(login, context) {
      const connection = await connect(login, context, false);
      if (connection === "rejected") return connection;
      try {
        return await openSession(connection, login, context);
      } catch (error) {
        await connection.close();
        throw error;
      }
    },

    async probe(login, context) {
      const connection = await connect(login, context, true);
      if (connection === "rejected") return connection;
      try {
        await connection.run("SELECT CURRENT_USER()", "asking for the session's identity");
        return "accepted";
      } finally {
        await connection.close();
      }
    },
  };
}
