import { readFile } from "node:fs/promises";
import { postgresConnections } from "./postgres-connections.ts";
import type { PostgresOptions, PostgresServer } from "./postgres-server.ts";
import { type PostgresVersion, urlVariable } from "./postgres-version.ts";

/** A URL and the environment variable that it comes from. */
export interface GivenUrl {
  readonly variable: string;
  readonly url: string;
}

/**
 * The variable of the version first; POSTGRES_URL, a server of any version, only where no version is asked for.
 */
export function urlFromEnvironment(
  version: PostgresVersion | undefined,
  environment: NodeJS.ProcessEnv,
): GivenUrl | undefined {
  const variables = version === undefined ? ["POSTGRES_URL", urlVariable("18")] : [urlVariable(version)];
  for (const variable of variables) {
    const url = environment[variable];
    if (url !== undefined && url !== "") return { variable, url };
  }
  return undefined;
}

/** The running server that a URL names. Closing it ends the clients only. */
export async function postgresAtUrl({ variable, url }: GivenUrl, options: PostgresOptions): Promise<PostgresServer> {
  for (const option of ["settings", "hba", "certificate", "isStandby"] as const) {
    if (options[option] !== undefined) {
      throw new Error(
        `A server with ${option} of its own is asked for, which the server of ${variable} cannot be given. ` +
          `Unset ${variable} to have one started.`,
      );
    }
  }
  const { host, port, admin, database, caFile } = parse(variable, url);
  const ca = await readFile(caFile, "utf8");
  const connections = postgresConnections({
    host,
    port,
    user: admin.username,
    password: admin.password,
    database,
    ssl: { ca },
  });
  const client = await connections.connect();
  const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
  await client.end();
  const version = rows[0]?.server_version.split(" ")[0] ?? "";
  if (options.version !== undefined && !`${version}.`.startsWith(`${options.version}.`)) {
    throw new Error(`${variable} names a PostgreSQL ${version}, and version ${options.version} is asked for.`);
  }
  return {
    version,
    host,
    port,
    admin,
    caFile,
    ca,
    get logFile(): string {
      throw new Error(`The log of the server of ${variable} cannot be read. Unset ${variable} to have one started.`);
    },
    connect: connections.connect,
    close: connections.end,
    [Symbol.asyncDispose]: connections.end,
  };
}

function parse(variable: string, text: string) {
  const url = URL.parse(text);
  const caFile = url?.searchParams.get("sslrootcert");
  if (
    url === null ||
    !/^postgres(ql)?:$/.test(url.protocol) ||
    !url.hostname ||
    !url.username ||
    !url.password ||
    !caFile
  ) {
    throw new Error(
      `${variable} is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslrootcert=FILE. ` +
        "The user must be a superuser, and FILE the PEM of the authority that signed the server's certificate.",
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 5432),
    admin: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    database: decodeURIComponent(url.pathname.slice(1)) || "postgres",
    caFile,
  };
}
