import { choiceSetting, type Environment } from "@quarterturn/core";
import { addressOf, type Engine } from "@quarterturn/database";
import { connect } from "./connection.ts";
import { acceptedWithoutRoom } from "./errors.ts";
import { manifest } from "./manifest.ts";
import { requireOwnSession } from "./password-change.ts";
import { openSession } from "./session.ts";
import { accountOf } from "./sql.ts";

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
      const connection = await connect(login, context, true).catch((error) =>
        acceptedWithoutRoom(error, login.username),
      );
      if (connection === "rejected" || connection === "accepted") return connection;
      try {
        // In an encoding that no default of the server changes.
        const [row] = await connection.run(
          "SELECT HEX(CURRENT_USER()) AS account",
          "asking for the session's identity",
        );
        const account = accountOf(Buffer.from(String(row?.account), "hex").toString());
        requireOwnSession(account, login, addressOf(login));
        return "accepted";
      } finally {
        await connection.close();
      }
    },
  };
}
