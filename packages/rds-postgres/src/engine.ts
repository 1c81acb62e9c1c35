import { booleanSetting, type Environment } from "@quarterturn/core";
import { addressOf, type Engine } from "@quarterturn/database";
import { connect, statementError } from "./connection.ts";
import { manifest } from "./manifest.ts";
import { openSession } from "./session.ts";

/** PostgreSQL, as RDS and Aurora run it. @throws RotationError `bad-setting` */
export function postgres(env: Environment): Engine {
  const sendsVerifier = booleanSetting(env, "PASSWORD_VERIFIER", true);
  return {
    manifest,
    twinActsAsOriginal: true,
    discardsOldPassword: false,

    async login(login, context) {
      const connection = await connect(login, context);
      return connection === "rejected" ? connection : openSession(connection, login, context, sendsVerifier);
    },

    async probe(login, context) {
      const connection = await connect(login, context);
      if (connection === "rejected") return connection;
      try {
        const { rows } = await connection.client.query<{ current_user: string }>("SELECT current_user::text");
        return { actsAs: rows[0]?.current_user ?? "" };
      } catch (error) {
        throw statementError(
          error,
          `${addressOf(login)} (user "${login.username}")`,
          "asking for the session's identity",
          undefined,
        );
      } finally {
        await connection.close();
      }
    },
  };
}
