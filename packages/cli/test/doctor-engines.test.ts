/** What `doctor` sees in databases other than PostgreSQL: real servers; Lambda, which has no function here, is imitated. */
import { createTrustedCa, startFerretdb, startMysql, startPostgres } from "@quarterturn-tools/engines";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quarterturnAt, type Ran } from "./command-line.ts";
import { type ImitatedAws, startImitatedAws } from "./imitated-aws.ts";
import { playing } from "./played-account.ts";
import { type Service, startService } from "./secrets-manager.ts";

const ca = await createTrustedCa();
const certificate = await ca.issue({ hosts: ["localhost"] });

let service: Service;
let aws: ImitatedAws;
beforeAll(async () => {
  service = await startService({ functions: { rotates: async () => undefined } });
  aws = await startImitatedAws(service.local.url, "any");
  aws.play = playing({});
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** Looks at a secret of the user `app`, whose admin is `boss`. */
async function doctor(name: string, at: object, keys: object = {}, ofAdmin: object = {}): Promise<Ran> {
  const { sm } = service;
  const boss = { ...at, username: "boss", password: "boss-password", ...ofAdmin };
  const { ARN } = await sm.createSecret({ Name: `${name}-admin`, SecretString: JSON.stringify(boss) });
  const app = { ...at, username: "app", password: "app-password", masterarn: ARN, ...keys };
  await sm.createSecret({ Name: name, SecretString: JSON.stringify(app) });
  return quarterturnAt(aws)(`doctor ${name}`);
}

/** The lines of a check and what is below them. */
function partOf({ stdout }: Ran, ...checks: readonly string[]): string {
  const parts = stdout
    .split(/\n(?=\S)/)
    .filter((part) => checks.some((check) => part.slice(2).startsWith(`${check} `)));
  return parts.join("\n").replaceAll(/localhost:\d+/g, "DATABASE");
}

test("MySQL: TLS, the login, the admin's right, and what the twin is the definer of", {
  timeout: 300_000,
}, async () => {
  await using server = await startMysql({ certificate });
  const root = await server.connect();
  for (const sql of [
    "CREATE USER app IDENTIFIED BY 'app-password'",
    `CREATE USER app_clone IDENTIFIED BY 'app-password' ATTRIBUTE '{"quarterturn": {"twinOf": "app"}}'`,
    "CREATE USER boss IDENTIFIED BY 'boss-password'",
    "GRANT SELECT ON *.* TO boss",
    "CREATE DATABASE shop",
    "CREATE DEFINER = app_clone VIEW shop.orders AS SELECT 1 AS id",
  ])
    await root.query(sql);
  const at = { engine: "mysql", host: server.host, port: server.port };
  expect(partOf(await doctor("mysql", at), "TLS", "login", "admin", "twin")).toMatchInlineSnapshot(`
    "✓ TLS         the certificate is verified, from this machine
    ✓ login       AWSCURRENT logs in at DATABASE (as "app")
    ✗ admin       DATABASE: the admin \`boss\`@\`%\` may not make and change users
                  → Run as a user who may: GRANT CREATE USER ON *.* TO \`boss\`@\`%\`;
    ✓ twin        "app_clone" is the twin of "app", and has
                  view shop.orders
                  → Who drops that user breaks these."
  `);
  await root.query("SET GLOBAL read_only = ON");
  const app = { ...at, username: "app", password: "app-password" };
  await service.sm.createSecret({ Name: "mysql-replica", SecretString: JSON.stringify(app) });
  await service.sm.rotateSecret({ SecretId: "mysql-replica", RotationLambdaARN: "rotates", RotateImmediately: false });
  aws.play = playing({ function: {} });
  expect(partOf(await quarterturnAt(aws)("doctor mysql-replica"), "TLS", "login")).toMatchInlineSnapshot(`
    "✓ TLS         the certificate is verified, from this machine
    ✗ login       DATABASE: the server is read-only
                  → Put the writer's host into the secret (and the admin's)."
  `);
});

test("PostgreSQL that does not make a twin act as its original, as its releases of November 2024", {
  timeout: 300_000,
}, async () => {
  await using server = await startPostgres({ version: "17.1", certificate });
  const root = await server.connect();
  await root.query(
    `CREATE ROLE app; CREATE ROLE app_clone LOGIN PASSWORD 'app-password' IN ROLE app; ALTER ROLE app_clone SET role = 'app';
    CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'boss-password'`,
  );
  await root.end();
  const at = { engine: "postgres", host: server.host, port: server.port };
  const twin = await doctor("postgres-17-1", at, { username: "app_clone" });
  expect(partOf(twin, "login")).toMatch(/^✗ login +The sessions of "app_clone" at DATABASE act as itself/);
});

test("DocumentDB's protocol: TLS, the login, and an admin of whom nobody knows beforehand", {
  timeout: 300_000,
}, async () => {
  await using server = await startFerretdb({ certificate });
  const client = await server.connect();
  await client.db("shop").command({ createUser: "app", pwd: "app-password", roles: [] });
  const roles = [{ role: "userAdminAnyDatabase", db: "admin" }];
  await client.db("admin").command({ createUser: "boss", pwd: "boss-password", roles });
  const at = { engine: "mongo", host: server.host, port: server.port };
  const ran = await doctor("mongo", at, { dbname: "shop" }, { dbname: "admin" });
  expect(partOf(ran, "TLS", "login", "admin", "twin")).toMatchInlineSnapshot(`
    "✓ TLS         the certificate is verified, from this machine
    ✓ login       AWSCURRENT logs in at DATABASE (as "app")
    ✓ admin       logs in at DATABASE (as "boss"); whether it may change both users shows when it does
    ✓ twin        "app_clone" does not exist yet: the first rotation makes it"
  `);
});

test("MySQL with a certificate that nobody has signed", { timeout: 300_000 }, async () => {
  await using server = await startMysql({});
  const at = { engine: "mysql", host: server.host, port: server.port };
  expect(partOf(await doctor("mysql-plain", at), "TLS", "plaintext")).toMatchInlineSnapshot(`
    "✗ TLS         DATABASE (as "app"): the server's certificate comes from a certificate authority that is neither RDS's nor one of Node's roots
                  → Here set NODE_EXTRA_CA_CERTS to a file with the authority's certificate (PEM); for a function add that file in a layer and set the same variable to its path.
    ✗ plaintext   AWS's functions would try this server in plaintext, and not say so
                  → Quarterturn's refuse. Mend TLS, as above; only if the network is trusted: "ssl": false in the secret."
  `);
});
