import { booleanSetting, type Environment, RotationError } from "@quarterturn/core";
import { addressOf, type Engine, pairOf, whereOf } from "@quarterturn/database";
import { connect, hasNoRoom, statementError } from "./connection.ts";
import { manifest } from "./manifest.ts";
import { openSession } from "./session.ts";

/** PostgreSQL, as RDS and Aurora run it. @throws RotationError `bad-setting` */
export function postgres(env: Environment): Engine {
  const sendsVerifier = booleanSetting(env, "PASSWORD_VERIFIER", true);
  return {
    manifest,

    async login(login, context) {
      const connection = await connect(login, context);
      return connection === "rejected" ? connection : openSession(connection, login, context, sendsVerifier);
    },

    async probe(login, context, mustActAsOriginal) {
      const connection = await connect(login, context).catch(acceptedWithoutRoom);
      if (connection === "rejected" || connection === "accepted") return connection;
      try {
        if (!mustActAsOriginal || !isTwin(login.username)) return "accepted";
        const query = { text: ignoredRole, query_timeout: context.deadline.share() };
        const { rows } = await connection.client.query<{ ignored: string | null }>(query);
        const ignored = rows[0]?.ignored;
        if (!ignored) return "accepted";
        throw new RotationError(
          "unsupported",
          `The sessions of "${login.username}" at ${addressOf(login)} act as itself, although its setting says "${ignored}"`,
          "AWSCURRENT was not moved. This server ignores the role setting of a user, as PostgreSQL 17.1, 16.5, 15.9, 14.14 and 13.17 do: update its minor version, or use the single-user strategy.",
        );
      } catch (error) {
        if (error instanceof RotationError) throw error;
        throw statementError(error, whereOf(login), "asking for the session's identity", undefined);
      } finally {
        await connection.close();
      }
    },
  };
}

/** The application may have all the connections that its user is allowed: that the server says so proves the password. */
function acceptedWithoutRoom(error: unknown): "accepted" {
  if (hasNoRoom(error)) return "accepted";
  throw error;
}

/** Only a twin is made by this project to act as another role, and must do so before it is promoted. */
const isTwin = (username: string) => pairOf(username).twin === username;

/** The role that the user's own setting names, where the session does not act as it although it may. */
const ignoredRole = `SELECT pg_catalog.substr(setting, 6) AS ignored
  FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS setting, pg_catalog.pg_roles r
  WHERE current_user = session_user AND s.setdatabase = 0 AND setting LIKE 'role=%'
  AND s.setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user)
  AND r.rolname = pg_catalog.substr(setting, 6) AND r.rolname <> session_user AND pg_catalog.pg_has_role(r.oid, 'MEMBER')`;
