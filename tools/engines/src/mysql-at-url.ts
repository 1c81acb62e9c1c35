import type { RowDataPacket } from "mysql2/promise";
import { mysqlConnections } from "./mysql-connections.ts";
import type { MysqlProduct } from "./mysql-product.ts";
import type { MysqlOptions, MysqlServer } from "./mysql-server.ts";
import { serverAtUrl } from "./server-at-url.ts";

/** The running server that a URL names. */
export async function mysqlAtUrl(
  { title, urlVariable: variable }: MysqlProduct,
  url: string,
  options: MysqlOptions,
): Promise<MysqlServer> {
  const server = await serverAtUrl(
    {
      variable,
      url,
      protocol: /^mysql:$/,
      port: 3306,
      caParameter: "sslrootcert",
      form: "mysql://USER:PASSWORD@HOST:PORT/?sslrootcert=FILE",
      user: "have all rights",
    },
    options,
  );
  const { host, port, admin, ca } = server;
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
  if (said.includes("MariaDB") !== (title === "MariaDB")) throw new Error(`${variable} names no ${title}: ${said}.`);
  return server.withConnections(said.split("-")[0] ?? said, connections);
}
