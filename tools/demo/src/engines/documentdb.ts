import { startFerretdb } from "@quarterturn-tools/engines";
import { MongoClient, MongoServerError } from "mongodb";
import type { DemoEngine } from "../engine.ts";
import type { Login } from "../login-log.ts";
import { newPassword } from "../new-password.ts";
import { databaseStory, onePassword, twinGets } from "../story.ts";

/** What the application's connections call themselves. */
const APPLICATION_NAME = "checkout";

export const engine: DemoEngine = {
  story: {
    ...databaseStory("DocumentDB (imitated)", "documentdb", [onePassword, ...twinGets("its roles")]),
    starts: "FerretDB",
    imitated: "Secrets Manager, Lambda, and roles are imitated",
  },
  handlers: {
    "single-user": import.meta.resolve("@quarterturn/documentdb/single-user"),
    "multi-user": import.meta.resolve("@quarterturn/documentdb/multi-user"),
  },
  isFetched: true,

  async start() {
    await using started = new AsyncDisposableStack();
    const logins: Login[] = [];
    const server = started.use(
      await startFerretdb({
        onLogin({ client, outcome }) {
          const by = client === APPLICATION_NAME ? "application" : "function";
          logins.push({ time: Date.now(), outcome, by });
        },
      }),
    );
    const address = { host: server.host, port: server.port };
    const admin = { username: "docdb_admin", password: newPassword() };
    const login = { username: "checkout", password: newPassword(), ...address, dbname: "shop" };
    const root = await server.connect();
    await root.db("admin").command({
      createUser: admin.username,
      pwd: admin.password,
      roles: [{ role: "userAdminAnyDatabase", db: "admin" }],
    });
    await root.db(login.dbname).command({
      createUser: login.username,
      pwd: login.password,
      // The second stands for a custom role with that action.
      roles: [
        { role: "readWrite", db: login.dbname },
        { role: "changeOwnPassword", db: "admin" },
      ],
    });
    await root.close();
    // Its own.
    logins.length = 0;
    const secret = { name: "prod/checkout/db", value: login };
    const running = started.move();
    return {
      title: `${server.version} in place of DocumentDB,`,
      ...address,
      caFile: server.caFile,
      adminSecret: { ...admin, ...address },
      secrets: () => ({ "single-user": secret, "multi-user": secret }),
      use: (value) => placeOrder(value as unknown as typeof login, server.ca),
      loginLog: { logins, update: async () => undefined },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },
};

/** AuthenticationFailed */
const REFUSED = 18;

async function placeOrder(
  login: { username: string; password: string; host: string; port: number; dbname: string },
  ca: string,
): Promise<"accepted" | "refused"> {
  const { host, port, username, password, dbname } = login;
  const client = new MongoClient(`mongodb://${host}:${port}/`, {
    auth: { username, password },
    authSource: dbname,
    appName: APPLICATION_NAME,
    directConnection: true,
    retryWrites: false,
    tls: true,
    ca,
    serverSelectionTimeoutMS: 5_000,
  });
  try {
    await client.db(dbname).collection("orders").insertOne({ placed: new Date() });
    return "accepted";
  } catch (error) {
    if (error instanceof MongoServerError && error.code === REFUSED) return "refused";
    throw error;
  } finally {
    await client.close();
  }
}
