import { Client, DatabaseError } from "pg";
import { APPLICATION_NAME } from "./postgres-login-log.ts";

export interface PostgresLogin {
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
}

/** @param wrongPassword the SQLSTATE of the server's answer to one */
export async function runAs(
  { host, port, username: user, password, dbname: database }: PostgresLogin,
  ca: string,
  sql: string,
  wrongPassword: string,
): Promise<"accepted" | "refused"> {
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
    if (error instanceof DatabaseError && error.code === wrongPassword) return "refused";
    throw error;
  }
  try {
    await client.query(sql);
    return "accepted";
  } finally {
    await client.end();
  }
}
