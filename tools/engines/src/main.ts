import { once } from "node:events";
import { parseArgs } from "node:util";
import {
  type MongodbServer,
  type MysqlServer,
  POSTGRES_VERSIONS,
  type PostgresServer,
  startFerretdb,
  startMariadb,
  startMysql,
  startPostgres,
} from "./index.ts";

interface Started {
  /** What it is and how a client reaches it. */
  readonly description: string;
  close(): Promise<void>;
}

const ENGINES = new Map<string, () => Promise<Started>>([
  ...POSTGRES_VERSIONS.map(
    (version) => [`postgres@${version}`, () => startPostgres({ version }).then(postgres)] as const,
  ),
  ["mysql", () => startMysql().then((server) => mysql("MySQL", server))],
  ["mariadb", () => startMariadb().then((server) => mysql("MariaDB", server))],
  ["mongo", () => startFerretdb().then(mongodb)],
]);

const help = `\
npm run engines -- [NAME ...]

Starts servers on this machine, prints how to reach them, and stops them at
Ctrl-C. Without a NAME: postgres@18.

  NAME   mysql, mariadb, mongo (FerretDB, which stands for DocumentDB), or
         postgres@VERSION with ${POSTGRES_VERSIONS.join(", ")}`;

/** Starts what the command line names, prints it, and stops it at Ctrl-C. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const starts = (positionals.length === 0 ? ["postgres@18"] : positionals).map(engineNamed);
  const stop = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const servers: Started[] = [];
  try {
    for (const start of starts) {
      const server = await start();
      servers.push(server);
      console.log(server.description);
    }
    console.log("Ctrl-C stops them.");
    await stop;
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

function engineNamed(name: string): () => Promise<Started> {
  const start = ENGINES.get(name);
  if (start === undefined) throw new Error(`There is no engine ${name}. There are: ${[...ENGINES.keys()].join(", ")}.`);
  return start;
}

/** With the parameters that psql and other users of libpq know. */
function postgres({ version, admin, host, port, caFile, close }: PostgresServer): Started {
  const parameters = new URLSearchParams({ sslmode: "verify-full", sslrootcert: caFile });
  const url = `postgres://${admin.username}:${admin.password}@${host}:${port}/postgres?${parameters}`;
  return { description: `PostgreSQL ${version}: ${url}`, close };
}

/** In the form that MYSQL_URL and MARIADB_URL have. */
function mysql(title: string, { version, admin, host, port, caFile, close }: MysqlServer): Started {
  const parameters = new URLSearchParams({ sslrootcert: caFile });
  const url = `mysql://${admin.username}:${admin.password}@${host}:${port}/?${parameters}`;
  return { description: `${title} ${version}: ${url}`, close };
}

/** With the parameters that mongosh and the drivers know; MONGODB_URL has this form. */
function mongodb({ version, admin, host, port, caFile, close }: MongodbServer): Started {
  const parameters = new URLSearchParams({ tls: "true", tlsCAFile: caFile, directConnection: "true" });
  const url = `mongodb://${admin.username}:${admin.password}@${host}:${port}/?${parameters}`;
  return { description: `${version}: ${url}`, close };
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
