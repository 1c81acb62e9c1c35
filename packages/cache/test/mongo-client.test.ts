import { setTimeout } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { handler as multiUser } from "@quarterturn/documentdb/multi-user";
import { handler as singleUser } from "@quarterturn/documentdb/single-user";
import { type MongodbServer, startFerretdb } from "@quarterturn-tools/engines";
import { afterAll, beforeAll, expect, it } from "vitest";
import { secretMongo } from "../examples/mongo-client.ts";
import { figuresOf, type Rotating, startRotating, timeout } from "./rotations-under-load.ts";

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

/** Connections that were not used for 15 ms are closed, and every fifth request comes after a longer pause. */
function clients(secretId: string) {
  const mongo = secretMongo(rotating.cache, secretId, {
    tls: true,
    ca: server.ca,
    directConnection: true,
    retryWrites: false,
    maxIdleTimeMS: 15,
    appName,
  });
  const request = async (number: number) => {
    if (number % 5 === 0) await setTimeout(20);
    const before = logins;
    await mongo.run((client) => client.db("shop").collection("job").findOne());
    return logins > before ? "login" : "no login";
  };
  return { mongo, request } as const;
}

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
