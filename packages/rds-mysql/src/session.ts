import { addressOf, type EngineContext, type Login, type Session } from "@quarterturn/database";
import { type Connection, connect } from "./connection.ts";
import { acceptedWithoutRoom } from "./errors.ts";
import { inspectPair } from "./inspection.ts";
import {
  changePassword,
  discardOldPassword,
  discardOtherPasswords,
  requireDatabase,
  requireOwnSession,
  restorePassword,
} from "./password-change.ts";
import { prepareSession } from "./server.ts";
import { alignTwin, setPassword } from "./twin.ts";

/** A session over an open connection. */
export async function openSession({ run, close }: Connection, login: Login, context: EngineContext): Promise<Session> {
  const address = addressOf(login);
  const server = await prepareSession(run, address, context);

  async function isAccepted(password: string): Promise<boolean> {
    const other = await connect({ ...login, password }, context, false).catch((error) =>
      acceptedWithoutRoom(error, login.username),
    );
    if (other === "rejected") return false;
    if (other !== "accepted") await other.close();
    return true;
  }

  return {
    async changePassword(next) {
      requireOwnSession(server.account, login, address);
      if (login.dbname !== undefined) await requireDatabase(run, login.dbname);
      return changePassword(run, server, login, next, isAccepted, context);
    },

    async discardOldPassword() {
      requireOwnSession(server.account, login, address);
      await discardOldPassword(run, server, login, context);
    },

    alignTwin: (pair, isOurs, currentPassword) =>
      alignTwin(run, server, pair, { isOurs, currentPassword }, address, context),
    setPassword: (pair, password, isOurs) => setPassword(run, server, pair, password, isOurs, address, context),

    ...(server.hasDualPasswords && {
      async discardOtherPasswords() {
        requireOwnSession(server.account, login, address);
        await discardOtherPasswords(run, server, login, isAccepted);
      },
    }),

    restorePassword: ({ username }, password) => restorePassword(run, server, username, password, address),

    inspectPair: (pair) => inspectPair(run, server, pair, address),

    close,
  };
}
