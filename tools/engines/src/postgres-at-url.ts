import { postgresConnections } from "./postgres-connections.ts";
import type { PostgresOptions, PostgresServer } from "./postgres-server.ts";
import { type PostgresVersion, urlVariable } from "./postgres-version.ts";
import { serverAtUrl } from "./server-at-url.ts";

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

/** The running server that a URL names. */
export async function postgresAtUrl({ variable, url }: GivenUrl, options: PostgresOptions): Promise<PostgresServer> {
  const server = await serverAtUrl(
    {
      variable,
      url,
      protocol: /^postgres(ql)?:$/,
      port: 5432,
      caParameter: "sslrootcert",
      form: "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslrootcert=FILE",
      user: "be a superuser",
    },
    options,
    ["version"],
  );
  const { host, port, admin, ca } = server;
  const connections = postgresConnections({
    host,
    port,
    user: admin.username,
    password: admin.password,
    database: server.database || "postgres",
    ssl: { ca },
  });
  const client = await connections.connect();
  const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
  await client.end();
  const version = rows[0]?.server_version.split(" ")[0] ?? "";
  if (options.version !== undefined && !`${version}.`.startsWith(`${options.version}.`)) {
    throw new Error(`${variable} names a PostgreSQL ${version}, and version ${options.version} is asked for.`);
  }
  return server.withConnections(version, connections);
}
