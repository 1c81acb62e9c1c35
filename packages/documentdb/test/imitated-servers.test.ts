/** What of DocumentDB the test server is not, imitated by the proxy before it. Users are made without a driver: MongoDB's refuses the older protocol. */
import { type DatabaseSecret, loginOf } from "@quarterturn/database";
import { type MongodbOptions, startFerretdb } from "@quarterturn-tools/engines";
import { expect, test } from "vitest";
import { connect } from "../src/connection.ts";
import { documentdb } from "../src/index.ts";
import { ca, changeOwnPassword, contextOf, multi, single, startTimeout, successor } from "./fixture.ts";

async function imitating(imitates: MongodbOptions["imitates"] & string) {
  const server = await startFerretdb({ certificate: await ca.issue({ hosts: ["localhost"] }), imitates });
  const { host, port, admin } = server;
  const root: DatabaseSecret = { host, port, ...admin, userKeys: {}, ssl: true, masterarn: "admin" };
  const context = () => contextOf({ server, admin });
  return {
    root,
    context,
    async run(database: string, command: object) {
      const connection = await connect(loginOf(root), context());
      if (connection === "rejected") throw new Error("The admin is refused.");
      try {
        return await connection.run(database, command, "preparing the test");
      } finally {
        await connection.close();
      }
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

test("an older server, whose protocol is MongoDB 4.0's and which has SCRAM-SHA-1 only: both strategies", {
  timeout: startTimeout,
}, async () => {
  await using old = await imitating("an older server");
  const { root, context, run } = old;
  await run("shop", { createUser: "app", pwd: "first", roles: [changeOwnPassword] });
  const first = { ...root, username: "app", password: "first", userKeys: { authSource: "shop" } };
  const second = await successor(first);
  expect(await single().set({ current: first, pending: second, previous: async () => undefined }, context())).toBe(
    "refused",
  );
  await single().test(second, context());
  await expect(single().test(first, context())).rejects.toMatchObject({ code: "credentials-rejected" });

  let current = second;
  for (const username of ["app_clone", "app"]) {
    const pending = await successor(current, multi());
    await multi().set({ current, pending, previous: async () => undefined }, context());
    await multi().test(pending, context());
    expect(pending.username).toBe(username);
    current = pending;
  }
  const { users } = await run("shop", { usersInfo: "app_clone" });
  expect(users).toMatchObject([{ roles: [changeOwnPassword] }]);
});

test("a server with all users in admin: both strategies change them there, whatever database the secret names", {
  timeout: startTimeout,
}, async () => {
  await using other = await imitating("a server with all users in admin");
  const { root, context, run } = other;
  await run("admin", { createUser: "app", pwd: "first", roles: [changeOwnPassword] });
  let current: DatabaseSecret = { ...root, username: "app", password: "first", userKeys: { authSource: "shop" } };
  for (const rotator of [single(), multi(), multi(), multi()]) {
    const pending = await successor(current, rotator);
    await rotator.set({ current, pending, previous: async () => undefined }, context());
    await rotator.test(pending, context());
    current = pending;
  }
  expect(current.username).toBe("app_clone");
  const { users } = await run("admin", { usersInfo: "app_clone" });
  expect(users).toMatchObject([{ db: "admin", roles: [changeOwnPassword] }]);
  const elsewhere = await run("shop", { usersInfo: "app_clone" });
  expect(elsewhere.users).toEqual([]);
});

test("a server without customData: killed, repeated and simultaneous first tries converge, later ones go by the password, and a stranger is refused", {
  timeout: startTimeout,
}, async () => {
  await using other = await imitating("a server of pwd and roles");
  const { root, context, run } = other;
  const app = async (username: string) => {
    await run("shop", { createUser: username, pwd: "first", roles: [{ role: "read", db: "shop" }] });
    return { ...root, username, password: "first", userKeys: { authSource: "shop" } };
  };
  const first = await app("app");
  const second = await successor(first, multi());
  const session = await documentdb.login(loginOf(root), context());
  if (session === "rejected") throw new Error("The admin is refused.");
  const pair = { original: "app", twin: "app_clone", pending: "twin", userKeys: first.userKeys } as const;
  await session.alignTwin(pair, async () => false, first.password);
  await session.close();
  const rotate = (current: DatabaseSecret, pending: DatabaseSecret, previous?: DatabaseSecret) =>
    multi().set({ current, pending, previous: async () => previous }, context());
  for (let time = 1; time <= 2; time++) await rotate(first, second);
  await multi().test(second, context());
  const third = await successor(second, multi());
  await rotate(second, third, first);
  await run("shop", { updateUser: "app", roles: [{ role: "readWrite", db: "shop" }] });
  await rotate(third, await successor(third, multi()), second);
  const { users } = await run("shop", { usersInfo: "app_clone" });
  expect(users).toMatchObject([{ roles: [{ role: "readWrite", db: "shop" }] }]);

  for (const name of ["one", "two", "three", "four"]) {
    const current = await app(name);
    const pending = await successor(current, multi());
    await Promise.all([1, 2, 3].map(() => rotate(current, pending)));
    await multi().test(pending, context());
  }

  const own = await app("own");
  await app("own_clone");
  await expect(rotate(own, await successor(own, multi()))).rejects.toMatchObject({ code: "wrong-target" });
});

test("a server without customData, and a first rotation that was abandoned: the next one's error has the command after which it goes on", {
  timeout: startTimeout,
}, async () => {
  await using other = await imitating("a server of pwd and roles");
  const { root, context, run } = other;
  await run("shop", { createUser: "app", pwd: "first", roles: [] });
  const first = { ...root, username: "app", password: "first", userKeys: { authSource: "shop" } };
  const set = (pending: DatabaseSecret) =>
    multi().set({ current: first, pending, previous: async () => undefined }, context());
  await set(await successor(first, multi()));
  const pending = await successor(first, multi());
  const error = await set(pending).then(() => undefined, String);
  const [, database = "", command = ""] =
    /db\.getSiblingDB\("(\w+)"\)\.runCommand\((\{"dropUser":.*?\})\)/.exec(error ?? "") ?? [];
  await run(database, JSON.parse(command));
  await set(pending);
  await multi().test(pending, context());
});

test("a server that refuses customData and mechanisms gets neither, in both strategies", {
  timeout: startTimeout,
}, async () => {
  await using other = await imitating("a server of pwd and roles");
  const { root, context, run } = other;
  await run("shop", { createUser: "app", pwd: "first", roles: [changeOwnPassword] });
  const { users } = await run("shop", { usersInfo: "app" });
  let current: DatabaseSecret = { ...root, username: "app", password: "first", userKeys: { authSource: "shop" } };
  expect(users).toMatchObject([{ mechanisms: ["SCRAM-SHA-1"] }]);
  let previous: DatabaseSecret | undefined;
  for (const rotator of [single(), multi(), multi()]) {
    const pending = await successor(current, rotator);
    const before = previous;
    await rotator.set({ current, pending, previous: async () => before }, context());
    await rotator.test(pending, context());
    [previous, current] = [current, pending];
  }
});

test("a secondary is told as that, with the endpoint to use", { timeout: startTimeout }, async () => {
  await using secondary = await imitating("a secondary");
  const { root, context } = secondary;
  const pending = await successor(root);
  await expect(
    single().set({ current: root, pending, previous: async () => undefined }, context()),
  ).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/not primary \(error 10107\).*the cluster's endpoint/),
  });
  const session = await documentdb.login(loginOf(root), context());
  if (session === "rejected") throw new Error("rejected");
  await expect(session.requireWriter?.()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/is a secondary.*the cluster's endpoint/),
  });
  await session.close();
});
