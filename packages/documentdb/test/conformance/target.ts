import { randomBytes } from "node:crypto";
import type { Strategy, Target } from "@quarterturn/conformance";
import { createTestCa, startFerretdb, tlsFaults } from "@quarterturn-tools/engines";

/** Where the users of the conformance suite belong: not to the admin's database. */
const database = "work";

const commandNotFound = 59;
const roleExists = 51_002;
const userNotFound = 11;

/** A server for the conformance suite. An application's login is one of MongoDB's own driver, which reads a document. */
export async function documentdbTarget(strategy: Strategy): Promise<Target> {
  await using opened = new AsyncDisposableStack();
  const ca = await createTestCa();
  const own = { certificate: await ca.issue({ hosts: ["localhost", "127.0.0.1"] }) };
  const server = opened.use(await startFerretdb(process.env.MONGODB_URL ? {} : own));
  const root = await server.connect();
  const work = root.db(database);
  await work.collection("job").insertOne({ done: false });
  const changeOwnPassword = { role: "changeOwnPassword", db: "admin" };
  await createRole();
  const admin = { username: `boss_${randomBytes(4).toString("hex")}`, password: randomBytes(12).toString("hex") };
  if (strategy === "multi-user") {
    const roles = [{ role: "userAdminAnyDatabase", db: "admin" }];
    await root.db("admin").command({ createUser: admin.username, pwd: admin.password, roles });
  }
  const closing = opened.move();

  /** The imitated server knows no such command, and takes a role of this name for one with the action. */
  async function createRole(): Promise<void> {
    const privileges = [{ resource: { db: database, collection: "" }, actions: ["changeOwnPassword"] }];
    try {
      await root.db("admin").command({ createRole: changeOwnPassword.role, privileges, roles: [] });
    } catch (error) {
      if (![commandNotFound, roleExists].includes(Number((error as { code?: number }).code))) throw error;
    }
  }

  return {
    address: { host: server.host, port: server.port },
    caFile: server.caFile,
    hostile: {
      names: [
        "'; db.dropDatabase(); //",
        "o'brien",
        'dou"ble',
        "$where",
        "admin",
        "a.b$c@d:e",
        "a b/c%d",
        "{$ne: 1}",
        "ünïcödé ☃",
        "line\nbreak",
      ],
      passwords: [
        "'; db.dropDatabase(); //",
        "back\\slash\\'quote\"",
        " spaces around ",
        "$$dollar$1%s{}?:a,b=c",
        "pässwörd ☃ längér",
        "ﬁ\u00adx Ⅸ",
        "x".repeat(200),
      ],
    },
    tlsFaults: process.env.MONGODB_URL
      ? "the server of MONGODB_URL has the certificate that it has"
      : tlsFaults(ca, (certificate) => startFerretdb({ certificate })),

    async createAccount({
      name = `app_${randomBytes(8).toString("hex")}`,
      password = randomBytes(12).toString("hex"),
      at,
    }) {
      const roles = [{ role: "readWrite", db: database }, ...(strategy === "single-user" ? [changeOwnPassword] : [])];
      await work.command({ createUser: name, pwd: password, roles });
      const secret = { engine: "mongo", ...at, dbname: database, username: name, password };
      return strategy === "single-user" ? { secret } : { secret, adminSecret: { engine: "mongo", ...at, ...admin } };
    },

    // The imitation reads every user for each login.
    async removeAccount({ secret: { username } }) {
      for (const user of [username, `${username}_clone`]) {
        await work.command({ dropUser: user }).catch((error: { code?: number }) => {
          if (error.code !== userNotFound) throw error;
        });
      }
    },

    async login({ username, password }) {
      try {
        const client = await server.connect({
          user: String(username),
          password: String(password),
          authSource: database,
        });
        try {
          await client.db(database).collection("job").findOne();
          return "accepted";
        } finally {
          await client.close();
        }
      } catch (error) {
        const { code } = error as { code?: number };
        if (code === 18) return "refused";
        if (code === 13) return "powerless";
        throw error;
      }
    },

    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
