import { join } from "node:path";
import { serverCertificate } from "./certificates.ts";
import { loopbackAddresses } from "./loopback.ts";
import { mysqlConnections } from "./mysql-connections.ts";
import { mysqlInstallation } from "./mysql-installation.ts";
import type { MysqlProduct } from "./mysql-product.ts";
import type { MysqlOptions, MysqlServer } from "./mysql-server.ts";
import { startOnFreePort } from "./start-on-free-port.ts";

/** Starts a server of Debian's binaries on a free port of this machine, with nothing in it but the admin. */
export async function startDebianMysql(product: MysqlProduct, options: MysqlOptions): Promise<MysqlServer> {
  const { command, template, serverVersion: version, admin } = await mysqlInstallation(product);
  const certificate = await serverCertificate(options.certificate);
  const { port, server } = await startOnFreePort(
    (port) => ({
      name: product.name,
      template,
      files: () => ({ [CA_FILE]: certificate.ca, [CERTIFICATE_FILE]: certificate.cert, [KEY_FILE]: certificate.key }),
      command: (folder) => [...command, ...serverOptions(version, folder, port, options)],
      // A shutdown takes a second, and nobody needs the data.
      stopSignals: ["KILL"],
    }),
    {
      title: `${product.title} ${version}`,
      isReady: async (starting) => /ready for connections\./.test(await starting.log()),
      addressInUse: /Address already in use/,
    },
  );
  const connections = mysqlConnections({
    host: "localhost",
    port,
    user: admin.username,
    password: admin.password,
    ...(options.certificate === "none" ? {} : { ssl: { ca: certificate.ca, verifyIdentity: true } }),
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

const CA_FILE = "ca.pem";
const CERTIFICATE_FILE = "server.crt";
const KEY_FILE = "server.key";

function serverOptions(
  version: string,
  folder: string,
  port: number,
  { settings, certificate }: MysqlOptions,
): string[] {
  const own: Readonly<Record<string, string>> = {
    datadir: join(folder, "data"),
    port: String(port),
    // Releases before MySQL 8.0.13 and MariaDB 10.11 take one address only.
    "bind-address": /^(5\.|10\.6)/.test(version) ? "127.0.0.1" : loopbackAddresses().join(),
    // In the data folder: a path may be too long for a socket.
    socket: "socket",
    "pid-file": "pid",
    "general-log-file": join(folder, "log"),
    "slow-query-log-file": join(folder, "log"),
    ...(certificate === "none"
      ? { "tls-version": "" }
      : { "ssl-cert": join(folder, CERTIFICATE_FILE), "ssl-key": join(folder, KEY_FILE) }),
  };
  return Object.entries({ ...own, ...settings }).map(([name, value]) => `--${name}=${value}`);
}
