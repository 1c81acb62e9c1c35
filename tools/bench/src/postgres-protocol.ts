import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { Client, DatabaseError } from "pg";
import type { BenchEngine } from "./engine.ts";

/** @param wrongPassword the SQLSTATE of the server's answer to one */
export function postgresApplication(database: string, wrongPassword: string): BenchEngine["application"] {
  return async (caFile = "") => {
    const secureContext = createSecureContext({ ca: await readFile(caFile) });
    return async ({ host, port, username, password }) => {
      const client = new Client({
        host: String(host),
        port: Number(port),
        user: String(username),
        password: String(password),
        database,
        ssl: { secureContext },
      });
      try {
        await client.connect();
        await client.end();
        return "accepted";
      } catch (error) {
        if (error instanceof DatabaseError && error.code === wrongPassword) return "refused";
        throw error;
      }
    };
  };
}

/** The logins in a PostgreSQL's log, with log_connections on. */
export async function loginsIn(logFile: string): Promise<{ accepted: number; refused: number }> {
  const log = await readFile(logFile, "utf8");
  const count = (message: RegExp) => log.match(message)?.length ?? 0;
  return {
    accepted: count(/LOG: {2}connection authorized/g),
    refused: count(/FATAL: {2}password authentication failed/g),
  };
}
