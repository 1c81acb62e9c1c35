import { randomBytes } from "node:crypto";
import type { Environment } from "@quarterturn/core";
import { type DatabaseSecret, databaseSettings, multiUser, singleUser } from "@quarterturn/database";
import { createTrustedCa, type MongodbOptions, type MongodbServer, startFerretdb } from "@quarterturn-tools/engines";
import { rotatorByHand } from "@quarterturn-tools/test/rotator-by-hand";
import type { Db, Document } from "mongodb";
import { documentdbDirectory } from "../src/directory.ts";
import { documentdb, manifest } from "../src/index.ts";

export const ca = await createTrustedCa();

/** The first start on a machine builds the server. */
export const startTimeout = 600_000;

type Credentials = Pick<DatabaseSecret, "username" | "password" | "userKeys">;

export interface Fixture extends AsyncDisposable {
  readonly server: MongodbServer;
  /** The session of a user with the role root. */
  readonly root: Db;
  /** An admin of the database `admin` that may create and change users, as DocumentDB's primary user may. */
  readonly admin: { readonly username: string; readonly password: string };
  /** A new user of the database `shop`, who may change its own password, and its secret. */
  createUser(user?: {
    name?: string;
    password?: string;
    database?: string;
    roles?: readonly object[];
    more?: object;
  }): Promise<DatabaseSecret>;
  /** What usersInfo shows of a secret's user. */
  info(secret: Pick<DatabaseSecret, "username" | "userKeys">): Promise<Document | undefined>;
  /** A fresh login by MongoDB's own driver, as an application's; its database is `shop`. */
  login(secret: Credentials): Promise<Db>;
  /** Whether such a login is accepted. */
  accepts(secret: Credentials): Promise<boolean>;
}

export const changeOwnPassword = { role: "changeOwnPassword", db: "admin" };

export async function startFixture(options: MongodbOptions = {}): Promise<Fixture> {
  const server = await startFerretdb({
    certificate: await ca.issue({ hosts: ["localhost", "127.0.0.1"] }),
    ...options,
  });
  const root = (await server.connect()).db("admin");
  const admin = { username: "boss", password: "boss-password" };
  const roles = [{ role: "userAdminAnyDatabase", db: "admin" }];
  await root.command({ createUser: admin.username, pwd: admin.password, roles });
  let users = 0;
  const login = async ({ username: user, password, userKeys }: Credentials) => {
    const client = await server.connect({ user, password, authSource: userKeys.authSource ?? "admin" });
    return client.db("shop");
  };
  return {
    server,
    root,
    admin,
    login,
    async createUser({ name = `app${++users}`, password, database = "shop", roles = [changeOwnPassword], more } = {}) {
      const pwd = password ?? randomBytes(12).toString("hex");
      await root.client.db(database).command({ createUser: name, pwd, roles, ...more });
      const { host, port } = server;
      const userKeys = { authSource: database };
      return { host, port, username: name, password: pwd, userKeys, ssl: true, masterarn: "admin" };
    },
    async info({ username, userKeys }) {
      const { users } = await root.client.db(userKeys.authSource ?? "admin").command({ usersInfo: username });
      return users[0];
    },
    accepts: (secret) =>
      login(secret).then(
        async (database) => {
          await database.client.close();
          return true;
        },
        (error: { code?: number }) => {
          if (error.code === 18) return false;
          throw error;
        },
      ),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

export const single = (env: Environment = {}) => singleUser(documentdb, databaseSettings(env, manifest));
export const multi = (env: Environment = {}) =>
  multiUser(documentdb, documentdbDirectory, databaseSettings(env, manifest));

export const { contextOf, successor, alternate } = rotatorByHand(
  ({ server, admin }: Pick<Fixture, "server" | "admin">) => ({
    engine: "mongo",
    host: server.host,
    port: server.port,
    ...admin,
  }),
  single,
  multi,
);
