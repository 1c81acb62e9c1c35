import { readFile } from "node:fs/promises";
import type { MongodbOptions, MongodbServer } from "./ferretdb-server.ts";
import { mongoConnections } from "./mongodb-connections.ts";

/** The running server of MONGODB_URL: MongoDB, DocumentDB or another. Closing it ends the clients only. */
export async function mongodbAtUrl(url: string, options: MongodbOptions): Promise<MongodbServer> {
  for (const option of ["certificate", "imitates", "onLogin"] as const) {
    if (options[option] !== undefined) {
      throw new Error(
        `A server with ${option} of its own is asked for, which the server of MONGODB_URL cannot be given. ` +
          "Unset MONGODB_URL to have one started.",
      );
    }
  }
  const { host, port, admin, caFile } = parse(url);
  const ca = await readFile(caFile, "utf8");
  const connections = mongoConnections({ host, port, admin, ca });
  const client = await connections.connect();
  const { version } = await client.db("admin").command({ buildInfo: 1 });
  await client.close();
  return {
    version: `${version} at MONGODB_URL`,
    host,
    port,
    admin,
    caFile,
    ca,
    get logFile(): string {
      throw new Error("The log of the server of MONGODB_URL cannot be read. Unset MONGODB_URL to have one started.");
    },
    connect: connections.connect,
    close: connections.end,
    [Symbol.asyncDispose]: connections.end,
  };
}

function parse(text: string) {
  const url = URL.parse(text);
  const caFile = url?.searchParams.get("tlsCAFile");
  if (url === null || url.protocol !== "mongodb:" || !url.hostname || !url.username || !url.password || !caFile) {
    throw new Error(
      "MONGODB_URL is not of the form mongodb://USER:PASSWORD@HOST:PORT/?tlsCAFile=FILE. The user must have the role root in the database " +
        "admin, and FILE is the PEM of the authority that signed the server's certificate.",
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 27017),
    admin: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    caFile,
  };
}
