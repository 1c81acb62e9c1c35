import type { Db } from "mongodb";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ferretdbInstallation } from "./ferretdb-installation.ts";
import { type MongodbOptions, type MongodbServer, startFerretdb } from "./index.ts";

let server: MongodbServer;
let admin: Db;
beforeAll(async () => {
  await ferretdbInstallation();
  vi.stubEnv("MONGODB_URL", "");
  server = await startFerretdb();
  admin = (await server.connect()).db("admin");
}, 600_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

let count = 0;
/** A new user of the database `shop`, and a session of its own. */
async function user(roles: readonly (string | { role: string; db: string })[], more: object = {}) {
  const name = `user${++count}`;
  const shop = admin.client.db("shop");
  await shop.command({ createUser: name, pwd: "first", roles, ...more });
  const own = (await server.connect({ user: name, password: "first", authSource: "shop" })).db("shop");
  return { name, own, info: async () => (await shop.command({ usersInfo: name })).users[0] };
}
const unauthorized = { code: 13, codeName: "Unauthorized" };

describe("what FerretDB does not keep of a user", () => {
  test("is shown as it was given, and a role without a database is of the user's", async () => {
    const { name, info } = await user(["read", { role: "reporting", db: "admin" }], {
      customData: { team: { id: 7 } },
    });
    expect(await info()).toMatchObject({
      user: name,
      db: "shop",
      customData: { team: { id: 7 } },
      roles: [
        { role: "read", db: "shop" },
        { role: "reporting", db: "admin" },
      ],
    });
  });

  test("changes by updateUser one by one, with a password or without", async () => {
    const { name, info } = await user(["read"], { customData: { a: 1 } });
    const shop = admin.client.db("shop");
    await shop.command({ updateUser: name, roles: ["readWrite"] });
    expect(await info()).toMatchObject({ roles: [{ role: "readWrite" }], customData: { a: 1 } });
    await shop.command({ updateUser: name, pwd: "second", customData: { b: 2 } });
    expect(await info()).toMatchObject({ roles: [{ role: "readWrite" }], customData: { b: 2 } });
    await server.connect({ user: name, password: "second", authSource: "shop" });
    await expect(shop.command({ updateUser: "nobody", roles: [] })).rejects.toMatchObject({ code: 11 });
  });

  test("goes with the user", async () => {
    const { name } = await user(["read"]);
    const shop = admin.client.db("shop");
    await shop.command({ dropUser: name });
    await shop.command({ createUser: name, pwd: "again", roles: [] });
    expect((await shop.command({ usersInfo: name })).users).toMatchObject([{ user: name, roles: [] }]);
  });
});

describe("rights", () => {
  test("to documents come with read and readWrite, of the database or of any", async () => {
    const { own: none } = await user([]);
    const { own: reader } = await user(["read"]);
    const { own: writer } = await user([{ role: "readWriteAnyDatabase", db: "admin" }]);
    await expect(none.collection("job").find().toArray()).rejects.toMatchObject(unauthorized);
    await expect(reader.collection("job").insertOne({})).rejects.toMatchObject(unauthorized);
    await writer.collection("job").insertOne({ done: true });
    expect(await reader.collection("job").countDocuments()).toBe(1);
    await expect(reader.client.db("other").collection("job").find().toArray()).rejects.toMatchObject(unauthorized);
  });

  test("to oneself: to look, and to change the password with that right, and nothing else", async () => {
    const { name, own } = await user(["readWrite"]);
    expect((await own.command({ usersInfo: name })).users).toHaveLength(1);
    await expect(own.command({ updateUser: name, pwd: "next" })).rejects.toMatchObject(unauthorized);
    await admin.client.db("shop").command({ updateUser: name, roles: ["changeOwnPassword"] });
    await own.command({ updateUser: name, pwd: "next" });
    await expect(own.command({ updateUser: name, pwd: "next", roles: ["dbOwner"] })).rejects.toMatchObject(
      unauthorized,
    );
    await expect(own.command({ usersInfo: "user1" })).rejects.toMatchObject(unauthorized);
  });

  test("to others come with userAdmin, for roles of databases that it is for", async () => {
    const { own } = await user(["userAdmin"]);
    await own.command({ createUser: "made", pwd: "p", roles: ["read"] });
    const foreign = { createUser: "made2", pwd: "p", roles: [{ role: "read", db: "admin" }] };
    await expect(own.command(foreign)).rejects.toMatchObject(unauthorized);
    await expect(own.client.db("admin").command({ usersInfo: "admin" })).rejects.toMatchObject(unauthorized);
    await own.command({ dropUser: "made" });
  });
});

describe("an imitated server", () => {
  const imitating = async (imitates: NonNullable<MongodbOptions["imitates"]>) => {
    const imitation = await startFerretdb({ imitates });
    return { imitation, [Symbol.asyncDispose]: () => imitation.close() };
  };

  test("of an older protocol is refused by MongoDB's present driver", async () => {
    await using started = await imitating("an older server");
    await expect(started.imitation.connect()).rejects.toThrow("reports maximum wire version 7");
  });

  test("with all users in admin finds those of a login there, and those of a command where it says", async () => {
    await using started = await imitating("a server with all users in admin");
    const database = (await started.imitation.connect({ authSource: "shop" })).db("shop");
    const { authInfo } = await database.command({ connectionStatus: 1 });
    expect(authInfo.authenticatedUsers).toEqual([{ user: "admin", db: "admin" }]);
    expect((await database.command({ usersInfo: "admin" })).users).toEqual([]);
  });

  test("of pwd and roles refuses the other fields of a user", async () => {
    await using started = await imitating("a server of pwd and roles");
    const database = (await started.imitation.connect()).db("shop");
    for (const more of [{ customData: {} }, { mechanisms: ["SCRAM-SHA-1"] }])
      await expect(database.command({ createUser: "app", pwd: "p", roles: [], ...more })).rejects.toMatchObject({
        code: 303,
      });
    await database.command({ createUser: "app", pwd: "p", roles: ["read"] });
    expect((await database.command({ usersInfo: "app" })).users).toMatchObject([{ mechanisms: ["SCRAM-SHA-1"] }]);
  });

  test("that is a secondary lets in and changes no user", async () => {
    await using started = await imitating("a secondary");
    const database = (await started.imitation.connect()).db("admin");
    await expect(database.command({ updateUser: "admin", pwd: "next" })).rejects.toMatchObject({ code: 10107 });
    await database.command({ usersInfo: "admin" });
  });
});
