import { randomBytes } from "node:crypto";
import type { Strategy, Target } from "@quarterturn/conformance";
import { createTestCa, tlsFaults } from "@quarterturn-tools/engines";
import { DatabaseError, escapeIdentifier, escapeLiteral } from "pg";
import { storedForm } from "../../src/password.ts";
import { type RedshiftImitation, startRedshiftImitation, startShowing } from "../imitation/server.ts";

/** The imitation of Redshift for the conformance suite. Its admin is a superuser, as Redshift's is. */
export async function redshiftTarget(
  strategy: Strategy,
): Promise<Target & { readonly server: Pick<RedshiftImitation, "postgres" | "superuser"> }> {
  await using opened = new AsyncDisposableStack();
  const ca = await createTestCa();
  const server = opened.use(await startRedshiftImitation(await ca.issue({ hosts: ["localhost", "127.0.0.1"] })));
  await server.superuser.query("CREATE GROUP workers; CREATE TABLE public.shared (id int)");
  await server.superuser.query("GRANT SELECT ON public.shared TO GROUP workers");
  /** Users and their twins to the table that they may read. */
  const tables = new Map<string, string>();
  const closing = opened.move();

  /** One after another, since the driver sends one at a time. */
  let last: Promise<unknown> = Promise.resolve();
  function asSuperuser(sql: string): Promise<unknown> {
    last = Promise.allSettled([last]).then(() => query(sql));
    return last;
  }

  /** Anew where a rotation changed the same row of the catalogue at this moment. */
  async function query(sql: string): Promise<unknown> {
    try {
      return await server.superuser.query(sql);
    } catch (error) {
      if (!(error instanceof DatabaseError && ["XX000", "40P01"].includes(error.code ?? ""))) throw error;
      return query(sql);
    }
  }

  return {
    server,
    address: { host: server.host, port: server.port },
    caFile: server.caFile,
    hostile: {
      names: [
        `"; DROP USER boss; --`,
        "o'brien",
        "UPPER lower",
        "back\\slash%s$1",
        ":original $$dollar$$",
        "user",
        "ünïcödé ☃",
        "line\nbreak",
      ],
      passwords: [
        `'; DROP USER boss; --`,
        "back\\slash\\'quote\"",
        " spaces around ",
        "$$dollar$1%s{}",
        "pässwörd ☃ längér",
        // The server takes this form for the digest of another password.
        `md5${"0123456789abcdef".repeat(2)}`,
        "x".repeat(300),
      ],
    },
    tlsFaults: tlsFaults(ca, startShowing),

    async createAccount({
      name = `app_${randomBytes(8).toString("hex")}`,
      password = `Aa1${randomBytes(12).toString("hex")}`,
      at,
    }) {
      const user = escapeIdentifier(name);
      const table = `public.work_${randomBytes(8).toString("hex")}`;
      await asSuperuser(`CREATE USER ${user} PASSWORD ${escapeLiteral(storedForm(name, password))};
        CREATE TABLE ${table} (id int); GRANT SELECT ON ${table} TO ${user}; ALTER GROUP workers ADD USER ${user}`);
      for (const each of [name, `${name}_clone`]) tables.set(each, table);
      const common = { ...at, dbname: "dev" };
      const secret = { engine: "redshift", ...common, username: name, password };
      if (strategy === "single-user") return { secret };
      return { secret, adminSecret: { engine: "redshift", ...common, ...server.admin } };
    },

    async login({ username, password }) {
      try {
        const client = await server.postgres.connect({
          user: String(username),
          password: String(password),
          database: "dev",
        });
        try {
          await client.query(
            `SELECT count(*) FROM public.shared, ${tables.get(String(username)) ?? "public.shared s"}`,
          );
          return "accepted";
        } finally {
          await client.end();
        }
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        if (error.code === "28P01") return "refused";
        if (error.code === "42501") return "powerless";
        throw error;
      }
    },

    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
