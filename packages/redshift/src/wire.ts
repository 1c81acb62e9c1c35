import { whereOf } from "@quarterturn/database";
import { connect, type Product, statementError } from "@quarterturn/pg-wire";
import { preamble } from "./sql.ts";
import type { Connection, Row, Statement, Transport } from "./transport.ts";

/**
 * What differs from PostgreSQL in a login. Redshift's answer to a wrong password has the SQLSTATE that PostgreSQL had before 9.0, which it also
 * gives for a user that there is not and for one that may not come at all.
 *
 * @see https://github.com/aws/amazon-redshift-jdbc-driver/issues/21 for a log of such a login
 */
const product: Product = {
  name: "Redshift",
  isPipelined: true,
  isWrongPassword: ({ code, message }) =>
    code === "28P01" ||
    (code === "28000" && /^(password authentication failed for user|user ".*" does not exist)/s.test(message)),
  adviceOnRefusal: ({ tls }) =>
    tls
      ? "The server's rules refuse this user before any password: see whether the cluster's parameter group or an identity provider keeps it out."
      : "The server's rules refuse this user before any password: the cluster may require TLS (require_ssl), which the secret's ssl turns off.",
  adviceOnAuthentication:
    "This login changed nothing. Type 13 is Redshift's own, for a password that is stored as SHA-256: an admin sets the user's password once in clear or as md5 (ALTER USER ... PASSWORD), and the next rotation goes on from there; or set REDSHIFT_TRANSPORT=data-api.",
};

/** PostgreSQL's protocol, as node-postgres speaks it. */
export const wire: Transport = {
  async connect(login, context) {
    const connection = await connect(login, product, context);
    if (connection === "rejected") return connection;
    const { client, close } = connection;
    const where = whereOf(login);

    /**
     * All statements are sent before the first is answered. Where this process is killed and COMMIT has arrived, the server commits; where it has
     * not, it rolls back when the connection ends, and keeps no locks that a retry would wait for. What comes after a statement that fails is
     * refused by the server itself.
     */
    const run: Connection["run"] = async (statements) => {
      const milliseconds = context.deadline.share();
      const send = async ({ sql, parameters = {}, doing, remedy }: Statement): Promise<readonly Row[]> => {
        const values = Object.values(parameters);
        const names = Object.keys(parameters);
        const numbered = (_whole: string, name: string) => `$${names.indexOf(name) + 1}`;
        const text = values.length === 0 ? sql : sql.replace(/:(\w+)/g, numbered);
        const query = { text, values, query_timeout: milliseconds };
        try {
          return (await client.query<Row>(query)).rows;
        } catch (error) {
          throw statementError(error, where, doing, remedy);
        }
      };
      const answers = await Promise.allSettled(
        [
          { sql: "BEGIN", doing: "beginning a transaction" },
          { sql: `SET LOCAL statement_timeout TO ${milliseconds}`, doing: "limiting the statements' time" },
          ...statements,
          { sql: "COMMIT", doing: "committing" },
        ].map(send),
      );
      const rows = answers.map((answer) => {
        if (answer.status === "fulfilled") return answer.value;
        throw answer.reason;
      });
      return rows.slice(2, -1);
    };

    try {
      const identify = { sql: "SELECT current_user AS name", doing: "asking for the session's identity" };
      const rows = (await run([...preamble, identify])).at(-1);
      return { user: String(rows?.[0]?.name), run, close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};
