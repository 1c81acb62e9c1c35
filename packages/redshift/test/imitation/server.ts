import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestCa, type PostgresServer, type ServerCertificate, startPostgres } from "@quarterturn-tools/engines";
import type { Client } from "pg";
import { catalogue } from "./catalogue.ts";
import { translate } from "./translation.ts";
import { startWireFront } from "./wire-front.ts";

export interface RedshiftImitation extends AsyncDisposable {
  readonly host: string;
  /** The port of the wire front, which speaks TLS. */
  readonly port: number;
  /** PEM file of the authority that signed the front's certificate. */
  readonly caFile: string;
  readonly admin: { readonly username: string; readonly password: string };
  /** The PostgreSQL behind it, without TLS: what is done there needs no translation. Its database `dev` has the catalogue. */
  readonly postgres: PostgresServer;
  /** A superuser's connection to `dev` of the PostgreSQL behind it. */
  readonly superuser: Client;
  /** Users that are asked for Redshift's digest login. */
  readonly digestUsers: Set<string>;
  /** What was sent to the wire front, as it was sent. */
  readonly statements: readonly string[];
}

/** A PostgreSQL that looks like a Redshift cluster, as far as translation.ts, catalogue.ts and wire-front.ts say. */
export async function startRedshiftImitation(certificate?: ServerCertificate): Promise<RedshiftImitation> {
  await using opened = new AsyncDisposableStack();
  const shown = certificate ?? (await (await createTestCa()).issue({ hosts: ["localhost", "127.0.0.1"] }));
  const folder = await mkdtemp(join(tmpdir(), "redshift-imitation-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, shown.ca);
  const postgres = opened.use(
    await startPostgres({
      certificate: "none",
      settings: { allow_system_table_mods: "on", password_encryption: "md5", standard_conforming_strings: "off" },
      hba: ["host all all all md5"],
    }),
  );
  const first = await postgres.connect();
  await first.query("CREATE DATABASE dev");
  await first.end();
  const superuser = await postgres.connect({ database: "dev" });
  opened.defer(() => superuser.end());
  for (const sql of catalogue) await superuser.query(sql);
  // As on Redshift, where every user has both.
  await superuser.query("GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC");
  const admin = { username: "boss", password: "Boss-password-1" };
  await superuser.query(`CREATE ROLE boss SUPERUSER LOGIN PASSWORD '${admin.password}'`);
  const digestUsers = new Set<string>();
  const statements: string[] = [];
  const front = await startWireFront(postgres, shown, digestUsers, (sql) => statements.push(sql));
  opened.defer(() => front.close());
  const closing = opened.move();
  return {
    host: "localhost",
    port: front.port,
    caFile,
    admin,
    postgres,
    superuser,
    digestUsers,
    statements,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What answers a client's wish for TLS with the certificate, or with no: as PostgreSQL's, Redshift's no is one letter. */
export function startShowing(certificate: ServerCertificate | "none"): Promise<PostgresServer | RedshiftImitation> {
  return certificate === "none" ? startPostgres({ certificate }) : startRedshiftImitation(certificate);
}

/** Runs a statement of Redshift over a connection to the PostgreSQL behind an imitation, `:name` standing for a parameter. */
export async function execute(
  client: Client,
  sql: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>[]> {
  const names = Object.keys(parameters);
  const text = sql.replace(/:(\w+)/g, (whole, name: string) =>
    names.includes(name) ? `$${names.indexOf(name) + 1}` : whole,
  );
  return (
    await client.query(
      translate(text),
      names.map((name) => parameters[name]),
    )
  ).rows as Record<string, unknown>[];
}
