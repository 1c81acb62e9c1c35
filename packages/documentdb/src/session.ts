import { RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Session } from "@quarterturn/database";
import { authSourceOf } from "./authentication.ts";
import { type Connection, connect } from "./connection.ts";
import { errorCode, unauthorized } from "./errors.ts";
import { alignTwin, inspectPair, restorePassword, setPassword } from "./twin.ts";
import { passwordFor, readUser, type User, writeUser } from "./users.ts";

/** A session over an open connection. */
export function openSession({ login, run, close }: Connection, context: EngineContext): Session {
  return {
    async changePassword(next) {
      const database = authSourceOf(login);
      const user = await ownUser();
      await writeUser(
        run,
        context.log,
        database,
        { updateUser: login.username, ...passwordFor(user, next) },
        `changing the password of "${login.username}" of ${database}`,
        `The user may not change its own password. ${letChangeOwnPassword(login.username, database)} Or use the multi-user strategy, in which an admin does it.`,
      );
      return "refused";
    },

    alignTwin: (pair, isOurs) => alignTwin(run, pair, { isOurs, isAccepted }, login, context),
    setPassword: (pair, password, isOurs) => setPassword(run, pair, password, { isOurs, isAccepted }, login, context),

    restorePassword: (user, password) => restorePassword(run, user, password, login, context),

    inspectPair: (pair) => inspectPair(run, pair, login),

    async requireWriter() {
      const { isWritablePrimary, ismaster } = await run("admin", { isMaster: 1 }, "asking what the server is");
      if ((isWritablePrimary ?? ismaster) !== false) return;
      throw new RotationError(
        "unsupported",
        `${addressOf(login)}: the server is a secondary, which takes no change`,
        "This try changed nothing. Put the cluster's endpoint, which is its writer, into the secret.",
      );
    },

    close,
  };

  async function isAccepted(user: Pick<Login, "username" | "password" | "userKeys">): Promise<boolean> {
    const other = await connect({ ...login, ...user }, context);
    if (other === "rejected") return false;
    await other.close();
    return true;
  }

  /** Every user may look at itself; where one may not, the server chooses the mechanisms. */
  async function ownUser(): Promise<User | undefined> {
    try {
      return await readUser(run, authSourceOf(login), login.username);
    } catch (error) {
      if (errorCode(error) !== unauthorized) throw error;
      context.log.debug("The user may not look at itself");
      return undefined;
    }
  }
}

function letChangeOwnPassword(username: string, database: string): string {
  const create = {
    createRole: "changeOwnPassword",
    privileges: [{ resource: { db: database, collection: "" }, actions: ["changeOwnPassword"] }],
    roles: [],
  };
  const grant = { grantRolesToUser: username, roles: [{ role: "changeOwnPassword", db: "admin" }] };
  const command = (of: string, text: object) =>
    `db.getSiblingDB(${JSON.stringify(of)}).runCommand(${JSON.stringify(text)})`;
  return `On MongoDB an admin lets it (not tried on DocumentDB): ${command("admin", create)}; ${command(database, grant)};`;
}
