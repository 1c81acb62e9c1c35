import { readFile } from "node:fs/promises";
import { escapeLiteral } from "pg";
import { startRedshiftImitation } from "../../../../packages/redshift/test/imitation/server.ts";
import type { DemoEngine } from "../engine.ts";
import { newPassword } from "../new-password.ts";
import { runAs } from "../postgres-application.ts";
import { loginLogSettings, postgresLoginLog } from "../postgres-login-log.ts";
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
      use: (value) =>
        runAs(
          value as unknown as typeof login,
          ca,
          "SELECT count(*) FROM public.orders",
          INVALID_AUTHORIZATION_SPECIFICATION,
        ),
      loginLog: postgresLoginLog(server.postgres.logFile),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },
};

/** SQLSTATE */
const INVALID_AUTHORIZATION_SPECIFICATION = "28000";
