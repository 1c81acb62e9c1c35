import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Strategy, Target } from "@quarterturn/conformance";
import { createTestCa, startPostgres, tlsFaults } from "@quarterturn-tools/engines";
import { DatabaseError, escapeIdentifier, escapeLiteral } from "pg";
import { passwordVerifier } from "../../src/verifier.ts";

/** A PostgreSQL server for the conformance suite. Its admin is CREATEROLE and not superuser, as rds_superuser in effect is. */
export async function postgresTarget(strategy: Strategy): Promise<Target> {
  await using opened = new AsyncDisposableStack();
  const ca = await createTestCa();
  const server = opened.use(
    await startPostgres({
      certificate: await ca.issue({ hosts: ["localhost", "127.0.0.1"] }),
      settings: { log_statement: "all" },
    }),
  );
  const superuser = await server.connect();
  opened.defer(() => superuser.end());
  // What is done here is not the rotation's.
  await superuser.query("SET log_statement = 'none'");
  const admin = { username: `boss_${randomBytes(4).toString("hex")}`, password: randomBytes(12).toString("hex") };
  await superuser.query(`CREATE ROLE ${admin.username} CREATEROLE LOGIN PASSWORD '${admin.password}'`);
  await superuser.query("CREATE TABLE IF NOT EXISTS public.work (id int)");
  /** Users and their twins to the user that their sessions must act as. */
  const originals = new Map<string, string>();
  const closing = opened.move();

  /** One after another, since two grants on a table at the same time fail. */
  let last: Promise<unknown> = Promise.resolve();
  function asSuperuser(sql: string): Promise<unknown> {
    last = last.then(() => superuser.query(sql));
    return last;
  }

  return {
    address: { host: server.host, port: server.port },
    caFile: server.caFile,
    hostile: {
      names: [
        `"; DROP ROLE boss; --`,
        "o'brien",
        "UPPER lower",
        "back\\slash%s$1",
        "$$dollar$$",
        "user",
        "ünïcödé ☃",
        "line\nbreak",
      ],
      passwords: [
        `'; DROP ROLE boss; --`,
        "back\\slash\\'quote\"",
        " spaces around ",
        "$$dollar$1%s{}",
        "pässwörd ☃ längér",
        // The server takes these forms for verifiers that were computed elsewhere.
        `md5${"0123456789abcdef".repeat(2)}`,
        `SCRAM-SHA-256$4096:c2FsdA==$${Buffer.alloc(32).toString("base64")}:${Buffer.alloc(32).toString("base64")}`,
        "x".repeat(300),
      ],
    },
    tlsFaults: tlsFaults(ca, (certificate) => startPostgres({ certificate })),

    async createAccount({
      name = `app_${randomBytes(8).toString("hex")}`,
      password = randomBytes(12).toString("hex"),
      at,
    }) {
      const isAscii = /^[\x20-\x7e]*$/.test(password);
      const stored = isAscii ? passwordVerifier(name, password, "scram-sha-256") : password;
      const role = escapeIdentifier(name);
      await asSuperuser(`CREATE ROLE ${role} LOGIN PASSWORD ${escapeLiteral(stored)};
        GRANT ${role} TO ${admin.username} WITH ADMIN OPTION; GRANT SELECT ON public.work TO ${role}`);
      for (const user of [name, `${name}_clone`]) originals.set(user, name);
      const common = { ...at, dbname: "postgres" };
      const secret = { engine: "postgres", ...common, username: name, password };
      if (strategy === "single-user") return { secret };
      return { secret, adminSecret: { engine: "postgres", ...common, ...admin } };
    },

    async login({ username, password }) {
      const user = String(username);
      try {
        const client = await server.connect({ user, password: String(password) });
        try {
          const { rows } = await client.query("SELECT current_user AS acts_as, count(*) FROM public.work");
          return rows[0].acts_as === (originals.get(user) ?? user) ? "accepted" : "powerless";
        } finally {
          await client.end();
        }
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        if (error.code === "28P01" || error.code === "28000") return "refused";
        if (error.code === "42501") return "powerless";
        throw error;
      }
    },

    async serverLog() {
      const log = await readFile(server.logFile, "utf8");
      // The server normalises a password that is not ASCII, so it has to be told what it is.
      return log.replaceAll(/ PASSWORD '(?:[^']|'')*'/g, (clause) =>
        /^[\x20-\x7e]*$/.test(clause) ? clause : " PASSWORD",
      );
    },

    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
