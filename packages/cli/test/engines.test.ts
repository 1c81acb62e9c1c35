import { deadlineOf } from "@quarterturn/core";
import { createTrustedCa, startFerretdb, startMysql } from "@quarterturn-tools/engines";
import { expect, onTestFinished, test, vi } from "vitest";
import { products } from "../src/engines.ts";
import { quarterturnAt } from "./command-line.ts";
import { startImitatedAws } from "./imitated-aws.ts";
import { startService } from "./secrets-manager.ts";

const ca = await createTrustedCa();
const certificate = await ca.issue({ hosts: ["localhost"] });

/** What a test needs of a server beside the command line. */
interface Server extends AsyncDisposable {
  readonly engine: string;
  readonly keys: object;
  readonly admin: object;
}

async function mysqlServer(): Promise<Server> {
  const server = await startMysql({ certificate });
  const root = await server.connect();
  await root.query("CREATE USER app IDENTIFIED BY 'the-new-one'");
  await root.query("CREATE USER boss IDENTIFIED BY 'boss-password'");
  await root.query("GRANT SELECT, CREATE USER ON *.* TO boss");
  return {
    engine: "mysql",
    keys: { host: server.host, port: server.port },
    admin: { username: "boss", password: "boss-password" },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function mongoServer(): Promise<Server> {
  const server = await startFerretdb({ certificate });
  const client = await server.connect();
  await client.db("shop").command({ createUser: "app", pwd: "the-new-one", roles: [] });
  const roles = [{ role: "userAdminAnyDatabase", db: "admin" }];
  await client.db("admin").command({ createUser: "boss", pwd: "boss-password", roles });
  return {
    engine: "mongo",
    keys: { host: server.host, port: server.port, dbname: "shop" },
    admin: { username: "boss", password: "boss-password", dbname: "admin" },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

test.each([
  [
    "MySQL",
    mysqlServer,
    /: another one may go on to log in beside it, which quarterturn discard-old app --endpoint-url \S+ ends$/m,
  ],
  ["DocumentDB's protocol", mongoServer, /: whoever uses another one is refused from then on$/m],
])(
  "%s is logged in to with a version's value: rollback refuses, and an admin restores the password",
  {
    timeout: 300_000,
  },
  async (_, start, ofOthers) => {
    await using server = await start();
    await using service = await startService();
    const { sm, labels } = service;
    const common = { engine: server.engine, ...server.keys };
    await sm.createSecret({ Name: "boss", SecretString: JSON.stringify({ ...common, ...server.admin }) });
    const value = (password: string) => JSON.stringify({ ...common, username: "app", password });
    await sm.createSecret({ Name: "app", SecretString: value("the-old-one") });
    await sm.putSecretValue({ SecretId: "app", SecretString: value("the-new-one") });
    const run = quarterturnAt(service.local);
    expect(await run("rollback app --yes")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("is refused at localhost"),
    });
    expect(await run("recover app --yes")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("AWSCURRENT of app logs in"),
    });
    expect(await run("rollback app --yes --restore-password --admin-secret boss")).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(ofOthers),
    });
    expect(await labels("app")).toEqual({
      [value("the-old-one")]: ["AWSCURRENT"],
      [value("the-new-one")]: ["AWSPREVIOUS"],
    });
    expect(await run("recover app --yes")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("AWSCURRENT of app logs in"),
    });
  },
);

test("every product's engine is the one of its manifest, and no two have an engine's name in common", async () => {
  const names = products.flatMap(({ manifest }) => manifest.engines);
  expect(new Set(names).size).toBe(names.length);
  for (const { manifest, load } of products) expect((await load()).manifest).toBe(manifest);
});

test.each([
  ["rds-postgres", "aurora-postgresql"],
  ["rds-mysql", "aurora-mysql"],
  ["documentdb", "docdb"],
])(
  "%s: an admin secret that AWS manages is found to be for a cluster whose engine the API calls %s",
  async (name, engine) => {
    await using aws = await startImitatedAws("http://127.0.0.1:1", "none");
    const cluster = `<Engine>${engine}</Engine><Endpoint>db.example</Endpoint><Port>1</Port>`;
    aws.play = ({ action }) =>
      action === "rds:DescribeDBClusters"
        ? {
            body: `<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>${cluster}</DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>`,
          }
        : undefined;
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.resetModules();
    const settings = { AWS_ENDPOINT_URL_RDS: aws.url, AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "any" };
    for (const [key, value] of Object.entries({ ...settings, AWS_SECRET_ACCESS_KEY: "any" })) vi.stubEnv(key, value);
    const directory = await products.find(({ manifest }) => manifest.name === name)?.loadDirectory();
    const tags = { "aws:rds:primaryDBClusterArn": "arn:aws:rds:eu-central-1:111122223333:cluster:db" };
    const server = directory?.managedServer(
      "arn:admin",
      tags,
      deadlineOf(() => 5_000),
    );
    expect(await server).toEqual({ host: "db.example", port: 1 });
  },
);
