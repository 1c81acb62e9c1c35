import { readFile } from "node:fs/promises";
import type { RowDataPacket } from "mysql2/promise";
import { mysqlConnections } from "./mysql-connections.ts";
import type { MysqlProduct } from "./mysql-product.ts";
import type { MysqlOptions, MysqlServer } from "./mysql-server.ts";

/** The running server that a URL names. Closing it ends the clients only. */
export async function mysqlAtUrl(
  { title, urlVariable }: MysqlProduct,
  url: string,
  options: MysqlOptions,
): Promise<MysqlServer> {
  for (const option of ["settings", "certificate"] as const) {
    if (options[option] !== undefined) {
      throw new Error(
        `A server with ${option} of its own is asked for, which the server of ${urlVariable} cannot be given. ` +
          `Unset ${urlVariable} to have one started.`,
      );
    }
  }
  const { host, port, admin, caFile } = parse(urlVariable, url);
  const ca = await readFile(caFile, "utf8");
  const connections = mysqlConnections({
    host,
    port,
    user: admin.username,
    password: admin.password,
    ssl: { ca, verifyIdentity: true },
  });
  const connection = await connections.connect();
  const [rows] = await connection.query<RowDataPacket[]>("SELECT VERSION() AS version");
  await connection.end();
  const said = String(rows[0]?.version);
  if (said.includes("MariaDB") !== (title === "MariaDB")) throw new Error(`${urlVariable} names no ${title}: ${said}.`);
  return {
    version: said.split("-")[0] ?? said,
    host,
    port,
    admin,
    caFile,
    ca,
    get logFile(): string {
      throw new Error(
        `The log of the server of ${urlVariable} cannot be read. Unset ${urlVariable} to have one started.`,
      );
    },
    connect: connections.connect,
    close: connections.end,
    [Symbol.asyncDispose]: connections.end,
  };
}

function parse(variable: string, text: string) {
  const url = URL.parse(text);
  const caFile = url?.searchParams.get("sslrootcert");
  if (url === null || url.protocol !== "mysql:" || !url.hostname || !url.username || !url.password || !caFile) {
    throw new Error(
      `${variable} is not of the form mysql://USER:PASSWORD@HOST:PORT/?sslrootcert=FILE. ` +
        "The user must have all rights, and FILE is the PEM of the authority that signed the server's certificate.",
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 3306),
    admin: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    caFile,
  };
}
