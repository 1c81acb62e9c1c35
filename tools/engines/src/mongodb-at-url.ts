import type { MongodbOptions, MongodbServer } from "./ferretdb-server.ts";
import { mongoConnections } from "./mongodb-connections.ts";
import { serverAtUrl } from "./server-at-url.ts";

/** The running server of MONGODB_URL: MongoDB, DocumentDB or another. */
export async function mongodbAtUrl(url: string, options: MongodbOptions): Promise<MongodbServer> {
  const server = await serverAtUrl(
    {
      variable: "MONGODB_URL",
      url,
      protocol: /^mongodb:$/,
      port: 27017,
      caParameter: "tlsCAFile",
      form: "mongodb://USER:PASSWORD@HOST:PORT/?tlsCAFile=FILE",
      user: "have the role root in the database admin",
    },
    options,
  );
  const connections = mongoConnections(server);
  const client = await connections.connect();
  const { version } = await client.db("admin").command({ buildInfo: 1 });
  await client.close();
  return server.withConnections(`${version} at MONGODB_URL`, connections);
}
