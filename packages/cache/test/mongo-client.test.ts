import { setTimeout } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createSecretCache } from "@quarterturn/cache";
import { handler as multiUser } from "@quarterturn/documentdb/multi-user";
import { handler as singleUser } from "@quarterturn/documentdb/single-user";
import { type MongodbServer, startFerretdb } from "@quarterturn-tools/engines";
import { MongoClient } from "mongodb";
import * as v from "valibot";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { databaseSecret } from "../examples/database-secret.ts";
import { secretMongo } from "../examples/mongo-client.ts";
import { figuresOf, type Rotating, startRotating, timeout } from "./rotations-under-load.ts";
import { reactions, scriptedClient } from "./scripted-client.ts";

const opened = new AsyncDisposableStack();
let server: MongodbServer;
let rotating: Rotating;
const appName = "application";
/** Of the application, as the server counts them. */
let logins = 0;
beforeAll(async () => {
  server = opened.use(
    await startFerretdb({ onLogin: ({ client, outcome }) => client === appName && outcome === "accepted" && logins++ }),
  );
  setDefaultCACertificates([...getCACertificates("default"), server.ca]);
  rotating = opened.use(await startRotating({ "single-user": singleUser, "multi-user": multiUser }));
}, 600_000);
afterAll(() => opened.disposeAsync());

async function userSecret(username: string, more: object = {}): Promise<string> {
  const admin = await server.connect();
  const roles = ["readWriteAnyDatabase", "changeOwnPassword"].map((role) => ({ role, db: "admin" }));
  await admin.db("admin").command({ createUser: username, pwd: "first-password", roles });
  await admin.close();
  const { host, port } = server;
  const value = { host, port: String(port), username, password: "first-password", dbname: "shop", authSource: "admin" };
  return rotating.createSecret(username, { ...value, ...more });
}

/**
 * The driver ends no connection when it is told to, only those that were not used for a while. After a last request its worker sleeps for longer
 * than that, by so much that the other worker, which may have begun later, does not keep the connection in use.
 */
function clients(secretId: string) {
  const mongo = secretMongo(rotating.cache, secretId, {
    directConnection: true,
    retryWrites: false,
    maxIdleTimeMS: 60,
    // A connection less for each client.
    serverMonitoringMode: "poll",
    appName,
  });
  const request = async () => {
    const before = logins;
    await mongo.run((client) => client.db().collection("job").findOne());
    return { isLogin: logins > before, end: async (isLast: boolean) => void (isLast && (await setTimeout(100))) };
  };
  return { mongo, request } as const;
}

it("a MongoClient that is in use is closed after its last work, and disposing waits for that", async () => {
  const { client, calls } = scriptedClient();
  const mongo = secretMongo(createSecretCache({ client, schema: databaseSecret }), "db");
  using closing = vi.spyOn(MongoClient.prototype, "close");
  const closed = () => closing.mock.contexts;
  const [login, ends] = [
    { host: "localhost", port: 1, username: "app" },
    [0, 1].map(() => Promise.withResolvers<void>()),
  ];
  const used: MongoClient[] = [];
  const work = (number: number) =>
    mongo.run((each) => {
      used[number] = each;
      return ends[number]?.promise ?? Promise.reject(new Error(`There is no work ${number}.`));
    });

  const first = work(0);
  await calls[0]?.answer("v1", { ...login, password: "first" });
  // A login that is refused elsewhere has the new version fetched.
  const refusal = Object.assign(new Error("Authentication failed."), { name: "MongoServerError", code: 18 });
  const refused = mongo.run(async (each) => {
    if (each === used[0]) throw refusal;
  });
  await reactions();
  await calls[1]?.answer("v2", { ...login, password: "second" });
  await refused;
  const second = work(1);
  await reactions();
  expect(used[1]).not.toBe(used[0]);
  expect(closed()).toEqual([]);

  ends[1]?.resolve();
  await second;
  let isDisposed = false;
  const disposing = mongo[Symbol.asyncDispose]().then(() => {
    isDisposed = true;
  });
  await vi.waitFor(() => expect(closed()).toHaveLength(1));
  expect(closed()[0]).toBe(used[1]);
  await reactions();
  expect(isDisposed).toBe(false);
  ends[0]?.resolve();
  await first;
  await disposing;
  expect(closed()[1]).toBe(used[0]);
});

it("a MongoClient for each version survives 100 rotations of alternating users, and no request fails", {
  timeout,
}, async ({ annotate }) => {
  const { host, port, admin } = server;
  const masterarn = await rotating.createSecret("admin", { host, port, ...admin });
  const secretId = await userSecret("alternating", { masterarn });
  const { mongo, request } = clients(secretId);
  const course = await rotating.underLoad(secretId, "multi-user", 100, request);
  await annotate(figuresOf(course));
  expect(course.failures).toEqual([]);
  expect(course.logins).toBeGreaterThan(100);
  const { authInfo } = await mongo.run((client) => client.db("admin").command({ connectionStatus: 1 }));
  expect(authInfo.authenticatedUsers).toEqual([
    expect.objectContaining({ user: expect.stringMatching(/^alternating/) }),
  ]);
  await mongo[Symbol.asyncDispose]();
});

it("the database is the secret's; TLS is verified, and off only where the secret's ssl is false", async () => {
  const cache = createSecretCache({ client: scriptedClient().client, schema: databaseSecret });
  const held = (ssl: unknown) => ({
    host: "localhost",
    port: "1",
    username: "app",
    password: "p",
    dbname: "shop",
    ssl,
  });
  const seen = async (ssl: unknown, options = {}) => {
    const get = async () => v.parse(databaseSecret, held(ssl));
    await using mongo = secretMongo({ ...cache, get }, "db", options);
    return mongo.run(async (client) => {
      const { tls, rejectUnauthorized = true, checkServerIdentity, credentials } = client.options;
      return {
        tls,
        rejectUnauthorized,
        checkServerIdentity,
        db: client.db().databaseName,
        source: credentials?.source,
      };
    });
  };
  const verified = { tls: true, rejectUnauthorized: true, checkServerIdentity: undefined, db: "shop", source: "shop" };
  expect(await seen(undefined)).toEqual(verified);
  expect(await seen("TRUE", { tls: false, authSource: "admin" })).toEqual({ ...verified, source: "admin" });
  expect(await seen("False")).toMatchObject({ tls: false });
  await expect(seen("no")).rejects.toThrow();

  const secretId = await userSecret("verified");
  await using untrusting = secretMongo(rotating.cache, secretId, { ca: [], serverSelectionTimeoutMS: 1_000 } as object);
  await expect(untrusting.run((client) => client.db().collection("job").findOne())).rejects.toThrow(/certificate/);
});

it("a MongoClient for each version recovers from each rotation of a single user by itself", { timeout }, async ({
  annotate,
}) => {
  const secretId = await userSecret("single");
  const { mongo, request } = clients(secretId);
  const course = await rotating.underLoad(secretId, "single-user", 10, request);
  await annotate(figuresOf(course));
  expect(course.unexpected).toEqual([]);
  await mongo.run((client) => client.db().collection("job").findOne());
  await mongo[Symbol.asyncDispose]();
});
