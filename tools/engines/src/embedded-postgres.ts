import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ServerCertificate, serverCertificate } from "./certificates.ts";
import { loopbackAddresses } from "./loopback.ts";
import { postgresConnections } from "./postgres-connections.ts";
import { type PostgresInstallation, postgresInstallation } from "./postgres-installation.ts";
import type { PostgresOptions, PostgresServer } from "./postgres-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";
import type { SupervisedServer } from "./supervised-server.ts";

/** Starts a server of npm's binaries on a free port of this machine, with nothing in it but the admin. */
export async function startEmbeddedPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const installation = await postgresInstallation(options.version ?? "18");
  const certificate = await serverCertificate(options.certificate);
  const { port, server } = await startOnOwnPort(installation, certificate, options);
  const { serverVersion: version, admin } = installation;
  const connections = postgresConnections({
    host: "localhost",
    port,
    user: admin.username,
    password: admin.password,
    database: "postgres",
    ssl: options.certificate === "none" ? false : { ca: certificate.ca },
  });
  const close = async () => {
    await connections.end();
    await server.close();
  };
  return {
    version,
    host: "localhost",
    port,
    admin,
    caFile: join(server.folder, CA_FILE),
    ca: certificate.ca,
    logFile: server.logFile,
    connect: connections.connect,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function startOnOwnPort(
  installation: PostgresInstallation,
  certificate: ServerCertificate,
  options: PostgresOptions,
): Promise<{ port: number; server: SupervisedServer }> {
  return startOnFreePort(
    (port) => ({
      name: "postgres",
      template: installation.template,
      files: (folder) => serverFiles(folder, port, certificate, options),
      command: (folder) => [
        ...(options.isStandby ? asStandby(join(folder, "data")) : []),
        installation.program,
        ...["-D", join(folder, "data")],
        ...["-c", `config_file=${join(folder, CONFIG_FILE)}`],
        ...["-c", `hba_file=${join(folder, HBA_FILE)}`],
      ],
      // The first is the fast shutdown.
      stopSignals: ["INT", "TERM"],
    }),
    {
      title: `PostgreSQL ${installation.serverVersion}`,
      isReady,
      addressInUse: /could not bind IPv[46] address .*: Address already in use/,
    },
  );
}

/** The file that makes it one can be written only when the template's copy is there. */
const asStandby = (data: string) => [...["/bin/sh", "-c", 'touch "$0" && exec "$@"'], join(data, "standby.signal")];

const CONFIG_FILE = "postgresql.conf";
const HBA_FILE = "pg_hba.conf";
const CA_FILE = "ca.pem";
const CERTIFICATE_FILE = "server.crt";
const KEY_FILE = "server.key";

function serverFiles(folder: string, port: number, certificate: ServerCertificate, options: PostgresOptions) {
  const settings = {
    listen_addresses: loopbackAddresses().join(),
    port: String(port),
    unix_socket_directories: "",
    // Nothing here has to survive a crash.
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    shared_buffers: "16MB",
    ssl: options.certificate === "none" ? "off" : "on",
    ssl_cert_file: join(folder, CERTIFICATE_FILE),
    ssl_key_file: join(folder, KEY_FILE),
    ...options.settings,
  };
  const hba = options.hba ?? ["host all all 127.0.0.1/32 scram-sha-256", "host all all ::1/128 scram-sha-256"];
  return {
    [CONFIG_FILE]: lines(Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}`)),
    [HBA_FILE]: lines(hba),
    [CA_FILE]: certificate.ca,
    [CERTIFICATE_FILE]: certificate.cert,
    [KEY_FILE]: certificate.key,
  };
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

/** https://www.postgresql.org/docs/current/config-setting.html: a quote is doubled, a backslash escapes. */
function quoted(value: string): string {
  return `'${value.replace(/['\\]/g, "$&$&")}'`;
}

/** Whether the file's eighth line says so (PostgreSQL's src/include/utils/pidfile.h). */
async function isReady(server: SupervisedServer): Promise<boolean> {
  try {
    const file = await readFile(join(server.folder, "data/postmaster.pid"), "utf8");
    return ["ready", "standby"].includes(file.split("\n")[7]?.trim() ?? "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
