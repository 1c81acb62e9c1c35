import { setTimeout } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createSecretCache } from "@quarterturn/cache";
import { handler as multiUser } from "@quarterturn/documentdb/multi-user";
import { handler as singleUser } from "@quarterturn/documentdb/single-user";
import { type MongodbServer, startFerretdb } from "@quarterturn-tools/engines";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { secretMongo } from "../examples/mongo-client.ts";
import { databaseSecret, figuresOf, type Rotating, startRotating, timeout } from "./rotations-under-load.ts";
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
  return rotating.createSecret(username, { host, port, username, password: "first-password", ...more });
}

/**
 * The driver ends no connection when it is told to, only those that were not used for a while. After a last request its worker sleeps for longer
 * than that, by so much that the other worker, which may have begun later, does not keep the connection in use.
 */
function clients(secretId: string) {
  const mongo = secretMongo(rotating.cache, secretId, {
    tls: true,
    ca: server.ca,
    directConnection: true,
    retryWrites: false,
    maxIdleTimeMS: 60,
    // A connection less for each client.
    serverMonitoringMode: "poll",
    appName,
  });
  const request = async () => {
    const before = logins;
    await mongo.run((client) => client.db("shop").collection("job").findOne());
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

it("a MongoClient for each version recovers from each rotation of a single user by itself", { timeout }, async ({
  annotate,
}) => {
  const secretId = await userSecret("single");
  const { mongo, request } = clients(secretId);
  const course = await rotating.underLoad(secretId, "single-user", 10, request);
  await annotate(figuresOf(course));
  expect(course.unexpected).toEqual([]);
  await mongo.run((client) => client.db("shop").collection("job").findOne());
  await mongo[Symbol.asyncDispose]();
});
