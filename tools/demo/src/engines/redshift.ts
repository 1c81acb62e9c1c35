import { readFile } from "node:fs/promises";
import { Client, DatabaseError, escapeLiteral } from "pg";
import { startRedshiftImitation } from "../../../../packages/redshift/test/imitation/server.ts";
import type { DemoEngine } from "../engine.ts";
import { newPassword } from "../new-password.ts";
import { APPLICATION_NAME, loginLogSettings, postgresLoginLog } from "../postgres-login-log.ts";
import { databaseStory, onePassword, twinGets } from "../story.ts";

/** There is no Redshift but AWS's: the server is the one that packages/redshift is tested with. */
export const engine: DemoEngine = {
  story: {
    ...databaseStory("Redshift (imitated)", "redshift", [onePassword, ...twinGets("its groups, roles and rights")]),
    starts: "PostgreSQL as Redshift",
    imitated: "Secrets Manager, Lambda and Redshift are imitated",
    application: "reads the secret, logs in over verified TLS, reads a table;",
  },
  handlers: {
    "single-user": import.meta.resolve("@quarterturn/redshift/single-user"),
    "multi-user": import.meta.resolve("@quarterturn/redshift/multi-user"),
  },

  async start() {
    await using started = new AsyncDisposableStack();
    const server = started.use(await startRedshiftImitation());
    const address = { host: server.host, port: server.port, dbname: "dev" };
    const login = { username: "checkout", password: newPassword(), ...address };
    for (const [name, value] of Object.entries(loginLogSettings)) {
      await server.superuser.query(`ALTER SYSTEM SET ${name} = ${escapeLiteral(value)}`);
    }
    await server.superuser.query("SELECT pg_reload_conf()");
    await server.superuser.query(`CREATE USER checkout PASSWORD ${escapeLiteral(login.password)}`);
    await server.superuser.query("CREATE TABLE public.orders (id int); GRANT SELECT ON public.orders TO checkout");
    const ca = await readFile(server.caFile, "utf8");
    const secret = { name: "prod/checkout/db", value: login };
    const running = started.move();
    return {
      title: `PostgreSQL ${server.postgres.version} dressed as Redshift,`,
      ...address,
      caFile: server.caFile,
      adminSecret: { ...server.admin, ...address },
      secrets: () => ({ "single-user": secret, "multi-user": secret }),
      use: (value) => readOrders(value as unknown as typeof login, ca),
      loginLog: postgresLoginLog(server.postgres.logFile),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },
};

async function readOrders(
  login: { username: string; password: string; host: string; port: number; dbname: string },
  ca: string,
): Promise<"accepted" | "refused"> {
  const { host, port, username: user, password, dbname: database } = login;
  const client = new Client({
    ...{ host, port, user, password, database },
    ssl: { ca },
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  // A connection that breaks makes its query fail, which is where it is reported.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    // SQLSTATE invalid_authorization_specification
    if (error instanceof DatabaseError && error.code === "28000") return "refused";
    throw error;
  }
  try {
    await client.query("SELECT count(*) FROM public.orders");
    return "accepted";
  } finally {
    await client.end();
  }
}
