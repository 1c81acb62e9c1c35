/** What of DocumentDB the test server is not, imitated by the proxy before it. Users are made without a driver: MongoDB's refuses the older protocol. */
import { type DatabaseSecret, loginOf } from "@quarterturn/database";
import { type MongodbOptions, startFerretdb } from "@quarterturn-tools/engines";
import { expect, test } from "vitest";
import { connect } from "../src/connection.ts";
import { changeOwnPassword, contextOf, issueCertificate, multi, single, startTimeout, successor } from "./fixture.ts";

async function imitating(imitates: MongodbOptions["imitates"] & string) {
  const server = await startFerretdb({ certificate: await issueCertificate({ hosts: ["localhost"] }), imitates });
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

test("a DocumentDB before 5.0, whose protocol is MongoDB 4.0's and which has SCRAM-SHA-1 only: both strategies", {
  timeout: startTimeout,
}, async () => {
  await using old = await imitating("DocumentDB before 5.0");
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
});
