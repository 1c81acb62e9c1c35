import { randomBytes } from "node:crypto";
import { deadlineOf, jsonLog, type RotationContext } from "@quarterturn/core";
import { type DatabaseSecret, databaseSettings, multiUser, rdsDirectory, singleUser } from "@quarterturn/database";
import { createTrustedCa, type MongodbOptions, type MongodbServer, startFerretdb } from "@quarterturn-tools/engines";
import type { Db, Document } from "mongodb";
import { documentdb, manifest } from "../src/index.ts";

const ca = await createTrustedCa();

export const issueCertificate = ca.issue;

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

/** A context as the Lambda adapter makes it, whose log can be read and whose only other secret is the admin's. */
export function contextOf(
  { server, admin }: Pick<Fixture, "server" | "admin">,
  adminSecret: object = {},
): RotationContext & { readonly lines: string[] } {
  const lines: string[] = [];
  const text = JSON.stringify({ engine: "mongo", host: server.host, port: server.port, ...admin, ...adminSecret });
  return {
    lines,
    secretId: "arn:secret",
    token: "token",
    deadline: deadlineOf(() => 20_000),
    log: jsonLog(
      (line) => lines.push(line),
      "DEBUG",
      {},
      (line) => line,
    ),
    readSecret: async () => text,
    describeSecret: async () => ({ tags: {} }),
    requirePending: async () => undefined,
  };
}

export const single = () => singleUser(documentdb, databaseSettings({}, manifest));
export const multi = () => multiUser(documentdb, rdsDirectory(["docdb"]), databaseSettings({}, manifest));

/** The next version of a secret, as createSecret makes it. */
export async function successor(current: DatabaseSecret, rotator = single()): Promise<DatabaseSecret> {
  return { ...current, ...(await rotator.create(current, undefined as never)) };
}

/** One multi-user rotation: the secret that is current afterwards. */
export async function alternate(
  fixture: Fixture,
  current: DatabaseSecret,
  context: RotationContext = contextOf(fixture),
  previous?: DatabaseSecret,
): Promise<DatabaseSecret> {
  const pending = await successor(current, multi());
  await multi().set({ current, pending, previous: async () => previous }, context);
  await multi().test(pending, context);
  return pending;
}
