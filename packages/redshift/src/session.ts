import { RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Session } from "@quarterturn/database";
import { passwordStatement } from "./password.ts";
import { preamble } from "./sql.ts";
import type { Connection } from "./transport.ts";

/** A session over an open connection. */
export function openSession(connection: Connection, login: Login, _context: EngineContext): Session {
  const address = addressOf(login);
  return {
    async changePassword(next) {
      if (connection.user !== login.username) {
        throw new RotationError(
          "wrong-target",
          `${address}: the login of "${login.username}" is a session of "${connection.user}"`,
          "This try changed nothing. Put the user's name into the secret as the server has it.",
        );
      }
      await connection.run([
        ...preamble,
        {
          sql: passwordStatement(login.username, next),
          doing: `changing the password of "${login.username}"`,
          remedy:
            "A user whose password is disabled may not set one: an admin runs ALTER USER ... PASSWORD, and stores that password in the secret.",
        },
      ]);
      return "refused";
    },

    // A user has one password.
    discardOldPassword: async () => undefined,

    async alignTwin() {
      throw new RotationError("unsupported", "not yet", "not yet");
    },
    async setPassword() {
      throw new RotationError("unsupported", "not yet", "not yet");
    },

    close: connection.close,
  };
}
