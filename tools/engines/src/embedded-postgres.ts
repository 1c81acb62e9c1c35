import { chown, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestCa, type ServerCertificate } from "./certificates.ts";
import { freePort, loopbackAddresses } from "./loopback.ts";
import { postgresConnections } from "./postgres-connections.ts";
import { type PostgresInstallation, postgresInstallation } from "./postgres-installation.ts";
import type { PostgresOptions, PostgresServer } from "./postgres-server.ts";
import { serverUser } from "./server-user.ts";
import { type SupervisedServer, superviseServer } from "./supervised-server.ts";

/** Starts a server of npm's binaries on a free port of this machine, with nothing in it but the admin. */
export async function startEmbeddedPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const installation = await postgresInstallation(options.version ?? "18");
  const certificate = await serverCertificate(options);
  const { port, folder, supervised } = await startOnFreePort(installation, certificate, options);
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
    await supervised.close();
  };
  return {
    version,
    host: "localhost",
    port,
    admin,
    caFile: join(folder, CA_FILE),
    ca: certificate.ca,
    logFile: supervised.logFile,
    connect: connections.connect,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A server without TLS gets one as well: `ca` then is that of an authority which signed nothing else. */
async function serverCertificate({ certificate }: PostgresOptions): Promise<ServerCertificate> {
  if (certificate !== undefined && certificate !== "none") return certificate;
  const ca = await createTestCa();
  return ca.issue({ hosts: ["localhost", "127.0.0.1", "::1"] });
}

interface StartedServer {
  readonly port: number;
  readonly folder: string;
  readonly supervised: SupervisedServer;
}

const PORT_ATTEMPTS = 5;

async function startOnFreePort(
  installation: PostgresInstallation,
  certificate: ServerCertificate,
  options: PostgresOptions,
): Promise<StartedServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const folder = await serverFolder(port, certificate, options);
    const supervised = await superviseServer(folder, installation.template, [
      installation.program,
      ...["-D", join(folder, "data")],
      ...["-c", `config_file=${join(folder, CONFIG_FILE)}`],
      ...["-c", `hba_file=${join(folder, HBA_FILE)}`],
    ]);
    const outcome = await startOutcome(folder, supervised);
    if (outcome === "ready") return { port, folder, supervised };
    const log = await readFile(supervised.logFile, "utf8");
    await supervised.close();
    if (outcome !== "port in use" || attempt === PORT_ATTEMPTS) {
      throw new Error(`PostgreSQL ${installation.serverVersion} did not start: ${outcome}. Its log:\n${log}`);
    }
  }
}

const CONFIG_FILE = "postgresql.conf";
const HBA_FILE = "pg_hba.conf";
const CA_FILE = "ca.pem";
const CERTIFICATE_FILE = "server.crt";
const KEY_FILE = "server.key";

async function serverFolder(port: number, certificate: ServerCertificate, options: PostgresOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "quarterturn-postgres-"));
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
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replace(/['\\]/g, "$&$&")}'`);
  const hba = options.hba ?? ["host all all 127.0.0.1/32 scram-sha-256", "host all all ::1/128 scram-sha-256"];
  const files = {
    [CONFIG_FILE]: lines.join("\n"),
    [HBA_FILE]: hba.join("\n"),
    [CA_FILE]: certificate.ca,
    [CERTIFICATE_FILE]: certificate.cert,
    [KEY_FILE]: certificate.key,
  };
  const { uid, gid } = serverUser();
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
    await chown(join(folder, name), uid, gid);
  }
  await chown(folder, uid, gid);
  return folder;
}

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 10;

async function startOutcome(
  folder: string,
  supervised: SupervisedServer,
): Promise<"ready" | "port in use" | "it ended" | "it was not ready in time"> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const ended = supervised.ended();
    if (ended || (await isReady(folder))) {
      // It starts without an address that is in use, if it gets another one.
      const log = await readFile(supervised.logFile, "utf8");
      if (/could not bind IPv[46] address .*: Address already in use/.test(log)) return "port in use";
      return ended ? "it ended" : "ready";
    }
    await sleep(POLL_MS);
  }
  return "it was not ready in time";
}

/** Whether the file's eighth line says so (PostgreSQL's src/include/utils/pidfile.h). The file is there early on. */
async function isReady(folder: string): Promise<boolean> {
  try {
    const lines = (await readFile(join(folder, "data/postmaster.pid"), "utf8")).split("\n");
    return lines[7]?.trim() === "ready";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
