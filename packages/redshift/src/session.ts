import { RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Session } from "@quarterturn/database";
import { passwordStatement } from "./password.ts";
import { preamble } from "./sql.ts";
import type { Connection } from "./transport.ts";
import { alignTwin, inspectPair, setPassword } from "./twin.ts";

/** A session over an open connection. */
export function openSession(connection: Connection, login: Login, { log }: EngineContext): Session {
  const address = addressOf(login);
  const admin = { connection, address, log };
  return {
    async changePassword(next) {
      requireOwnUser(connection, login);
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

    alignTwin: (pair, isOurs) => alignTwin(admin, pair, isOurs),
    setPassword: (pair, password, isOurs) => setPassword(admin, pair, password, isOurs),

    async restorePassword({ username }, password) {
      const sql = passwordStatement(username, password);
      const remedy = "Only a superuser may: use the admin's secret.";
      await connection.run([...preamble, { sql, doing: `setting the password of "${username}"`, remedy }]);
    },

    inspectPair: (pair) => inspectPair(admin, pair),

    close: connection.close,
  };
}

/** Credentials that log in as somebody else prove nothing about the user that they name. @throws RotationError `wrong-target` */
export function requireOwnUser({ user }: Connection, login: Login): void {
  if (user === login.username) return;
  throw new RotationError(
    "wrong-target",
    `${addressOf(login)}: the login of "${login.username}" is a session of "${user}"`,
    "This try changed nothing. Put the user's name into the secret as the server has it.",
  );
}
