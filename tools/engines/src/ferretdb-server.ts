import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { MongoClient } from "mongodb";
import { type ServerCertificate, serverCertificate } from "./certificates.ts";
import type { DatabaseServer } from "./database-server.ts";
import { ferretdbInstallation } from "./ferretdb-installation.ts";
import { type Imitation, type MongoLogin, startRoleProxy } from "./ferretdb-roles.ts";
import { LOOPBACK } from "./loopback.ts";
import { mongodbAtUrl } from "./mongodb-at-url.ts";
import { mongoConnections } from "./mongodb-connections.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

export interface MongodbServer extends DatabaseServer {
  /**
   * A client of MongoDB's own driver that has logged in, to be closed by the caller; as admin if nothing else is asked for. TLS is verified;
   * without TLS only where the server was asked to have none.
   */
  connect(options?: Partial<{ user: string; password: string; authSource: string }>): Promise<MongoClient>;
}

export interface MongodbOptions {
  /** Default: one that is valid for localhost, 127.0.0.1 and ::1. "none": a server without TLS. */
  readonly certificate?: ServerCertificate | "none";
  /** What of a server that cannot be had here is imitated, besides roles. */
  readonly imitates?: Imitation;
  /** Told of each login when the server has answered, before the client knows. */
  readonly onLogin?: (login: MongoLogin) => void;
}

/**
 * A server for MongoDB's protocol on this machine: the one of MONGODB_URL if it is set, otherwise a new FerretDB behind a proxy that
 * imitates roles (./ferretdb-roles.ts). Nothing of a new one outlives this process.
 *
 * @throws Error if it cannot be built or does not start, or if the environment's server cannot do what the options ask for
 */
export function startFerretdb(options: MongodbOptions = {}): Promise<MongodbServer> {
  const url = process.env.MONGODB_URL;
  return url ? mongodbAtUrl(url, options) : startOwnFerretdb(options);
}

async function startOwnFerretdb(options: MongodbOptions): Promise<MongodbServer> {
  const { program, template, serverVersion } = await ferretdbInstallation();
  const certificate = await serverCertificate(options.certificate);
  const admin = { username: "admin", password: randomBytes(16).toString("hex") };
  await using opened = new AsyncDisposableStack();
  const { port: ownPort, server } = await startOnFreePort(
    (port) => ({
      name: "ferretdb",
      template,
      files: () => ({ [CA_FILE]: certificate.ca, [PASSWORD_FILE]: admin.password }),
      command: (folder) => [
        // By the environment: everybody can read a process' arguments.
        ...["/bin/sh", "-c", 'FERRETDB_SETUP_PASSWORD=$(cat "$0") GOGC=400 exec "$@"', join(folder, PASSWORD_FILE)],
        ...[program, "--handler=sqlite", `--sqlite-url=file:${join(folder, "data")}/`, "--state-dir=-"],
        ...[`--listen-addr=${LOOPBACK}:${port}`, "--debug-addr=-", "--telemetry=disable"],
        ...["--test-enable-new-auth", "--setup-database=admin", `--setup-username=${admin.username}`],
      ],
      // Nobody needs the data.
      stopSignals: ["KILL"],
    }),
    {
      title: `FerretDB ${serverVersion}`,
      isReady: async (starting) => /Listening on TCP/.test(await starting.log()),
      addressInUse: /address already in use/,
    },
  );
  opened.defer(server.close);
  const proxy = opened.use(
    await startRoleProxy(ownPort, {
      root: admin.username,
      certificate: options.certificate === "none" ? undefined : certificate,
      imitates: options.imitates,
      onLogin: options.onLogin,
    }),
  );
  const connections = mongoConnections({
    host: "localhost",
    port: proxy.port,
    admin,
    ca: options.certificate === "none" ? undefined : certificate.ca,
  });
  opened.defer(connections.end);
  const running = opened.move();
  return {
    version: `FerretDB ${serverVersion}`,
    host: "localhost",
    port: proxy.port,
    admin,
    caFile: join(server.folder, CA_FILE),
    ca: certificate.ca,
    logFile: server.logFile,
    connect: connections.connect,
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const CA_FILE = "ca.pem";
const PASSWORD_FILE = "password";
