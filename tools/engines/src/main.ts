import { once } from "node:events";
import { parseArgs } from "node:util";
import { POSTGRES_VERSIONS, type PostgresServer, type PostgresVersion, startPostgres } from "./index.ts";

const ENGINES = new Map(POSTGRES_VERSIONS.map((version) => [`postgres@${version}`, version]));

/** Starts what the command line names, prints it, and stops it at Ctrl-C. */
async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const versions = positionals.length === 0 ? (["18"] as const) : positionals.map(versionNamed);
  const stop = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const servers: PostgresServer[] = [];
  try {
    for (const version of versions) {
      const server = await startPostgres({ version });
      servers.push(server);
      console.log(`PostgreSQL ${server.version}: ${url(server)}`);
    }
    console.log("Ctrl-C stops them.");
    await stop;
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

function versionNamed(name: string): PostgresVersion {
  const version = ENGINES.get(name);
  if (version === undefined)
    throw new Error(`There is no engine ${name}. There are: ${[...ENGINES.keys()].join(", ")}.`);
  return version;
}

/** With the parameters that psql and other users of libpq know. */
function url({ admin, host, port, caFile }: PostgresServer): string {
  const parameters = new URLSearchParams({ sslmode: "verify-full", sslrootcert: caFile });
  return `postgres://${admin.username}:${admin.password}@${host}:${port}/postgres?${parameters}`;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
