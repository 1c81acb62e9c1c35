/** What only MySQL answers to what is given wrongly: each is a typed error in one line. The rest is in rds-postgres and the conformance suite. */
import { type Environment, rotationHandler } from "@quarterturn/core";
import { type DatabaseSecret, databaseSettings, multiUser, rdsDirectory, singleUser } from "@quarterturn/database";
import {
  createTestCa,
  type MysqlServer,
  startBlackHole,
  startFaultyServer,
  startMariadb,
  startMysql,
} from "@quarterturn-tools/engines";
import { errorsPage } from "@quarterturn-tools/test/errors-page";
import { stepsByHand } from "@quarterturn-tools/test/steps-by-hand";
import { afterAll, beforeAll } from "vitest";
import { manifest, mysql } from "../src/index.ts";
import { type Fixture, issueCertificate, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const handlers = {
  "single-user": (env: Environment) =>
    rotationHandler((from) => singleUser(mysql(from), databaseSettings(from, manifest)), env),
  "multi-user": (env: Environment) =>
    rotationHandler(
      (from) => multiUser(mysql(from), rdsDirectory(manifest.engines), databaseSettings(from, manifest)),
      env,
    ),
};
// What a step may leave is a twin that is not whole yet, and cannot log in.
const { secretWith, step } = stepsByHand(handlers, () =>
  fixture.asRoot("SELECT * FROM mysql.user WHERE account_locked = 'N' ORDER BY User, Host"),
);
const { section, finish } = errorsPage(manifest.name, "MySQL and MariaDB");
const password = "never-in-a-log";
const account = (more: object = {}): DatabaseSecret & Record<string, unknown> => ({
  host: fixture.server.host,
  port: fixture.server.port,
  username: "nobody",
  password,
  userKeys: {},
  ssl: true,
  ...more,
});

section("The secret's value", (refused) => {
  refused("another engine", "bad-secret", () => step("createSecret", account({ engine: "postgres" })));
  refused("a user whose twin's name would be too long", "bad-secret", () =>
    step("createSecret", account({ username: "x".repeat(27) }), { strategy: "multi-user" }),
  );
  refused("a setting that means nothing", "bad-setting", () =>
    step("createSecret", account(), { env: { OLD_PASSWORD: "never" } }),
  );
});

section("The server", (refused) => {
  const at = ({ port }: { port: number }, host = "localhost") =>
    step("setSecret", account({ host, port }), { pending: account({ host, port, password: "never-in-a-log-2" }) });
  const faulty = (kind: Parameters<typeof startFaultyServer>[0]) => async () => {
    await using server = await startFaultyServer(kind);
    await at(server);
  };
  // Started before, so that the time of a row is the function's own.
  const faults = {
    "speaks no TLS": () => startMysql({ certificate: "none" }),
    "has an expired certificate": async () =>
      startMysql({
        certificate: await issueCertificate({
          hosts: ["localhost"],
          notBefore: new Date(2020, 1),
          notAfter: new Date(2021, 1),
        }),
      }),
    "has a certificate of another authority": async () =>
      startMysql({ certificate: await (await createTestCa()).issue({ hosts: ["localhost"] }) }),
    "has a certificate for another host": async () =>
      startMysql({ certificate: await issueCertificate({ hosts: ["other.example"] }) }),
  };
  const started = new Map<string, MysqlServer>();
  beforeAll(async () => {
    for (const [fault, start] of Object.entries(faults)) started.set(fault, await start());
  });
  afterAll(async () => {
    for (const server of started.values()) await server.close();
  });
  refused("a host name that does not exist", "unreachable", () => at({ port: 3306 }, "does-not-exist.invalid"));
  refused("an address, of which no certificate is verified", "tls", () => at({ port: 3306 }, "127.0.0.1"));
  refused("a closed port", "unreachable", faulty("closed"));
  refused("a black hole: packets are dropped", "timeout", async () => {
    await using hole = await startBlackHole();
    await at(hole);
  });
  refused("a server that accepts and never answers", "timeout", faulty("silent"));
  refused("a server that resets", "unreachable", faulty("resets"));
  for (const fault of Object.keys(faults))
    refused(`a server that ${fault}`, "tls", () => at(started.get(fault) ?? { port: 0 }));
  refused("a wrong password in every version", "credentials-rejected", () =>
    step("setSecret", account(), { pending: account({ password: "never-in-a-log-2" }) }),
  );
  refused("testSecret with a password that the server refuses", "credentials-rejected", () =>
    step("testSecret", account(), { pending: account() }),
  );
  refused("a database that the user may not use", "privilege", async () => {
    const current = { ...(await fixture.createUser()), dbname: "nowhere" };
    await step("testSecret", current, { pending: current });
  });
  refused("a database that does not exist", "bad-secret", async () => {
    const current = { ...(await fixture.createUser()), dbname: "nowhere" };
    await fixture.asRoot(`GRANT SELECT ON *.* TO ${current.username}`);
    await step("setSecret", current, { pending: { ...current, password } });
  });
  const altered = async (change: string) => {
    const current = await fixture.createUser();
    await fixture.asRoot(`ALTER USER ${current.username} ${change}`);
    return { current, pending: { ...current, password } };
  };
  const altering = (change: string) => async () => {
    const { current, pending } = await altered(change);
    await step("setSecret", current, { pending });
  };
  refused("a locked account", "privilege", altering("ACCOUNT LOCK"));
  refused("an account whose password is expired", "privilege", altering("PASSWORD EXPIRE"));
  refused("an account that demands a certificate of the client", "credentials-rejected", altering("REQUIRE X509"));
  refused("an account that has all the connections that it may have", "busy", async () => {
    const { current, pending } = await altered("WITH MAX_USER_CONNECTIONS 1");
    const taken = await fixture.server.connect({ user: current.username, password: current.password });
    await step("setSecret", current, { pending }).finally(() => taken.end());
  });
  refused("a login that is the anonymous user's session", "wrong-target", async () => {
    const current = { ...(await fixture.createUser(undefined, undefined, "10.%")), password: "anybody" };
    await fixture.asRoot("CREATE USER ''@'localhost' IDENTIFIED BY 'anybody'");
    try {
      await step("setSecret", current, { pending: { ...current, password } });
    } finally {
      await fixture.asRoot("DROP USER ''@'localhost'");
    }
  });
  refused("a server that takes encrypted connections only, and a secret that wants none", "tls", async () => {
    const current = { ...(await fixture.createUser()), ssl: false };
    await fixture.asRoot("SET GLOBAL require_secure_transport = ON");
    try {
      await step("testSecret", current, { pending: current });
    } finally {
      await fixture.asRoot("SET GLOBAL require_secure_transport = OFF");
    }
  });
  refused("a server that is read-only", "unsupported", async () => {
    const current = await fixture.createUser();
    await fixture.asRoot("SET GLOBAL read_only = ON");
    try {
      await step("setSecret", current, { pending: { ...current, password } });
    } finally {
      await fixture.asRoot("SET GLOBAL read_only = OFF");
    }
  });
});

section("MariaDB", (refused) => {
  let mariadb: Fixture;
  beforeAll(async () => {
    mariadb = await startFixture({}, startMariadb);
  });
  afterAll(() => mariadb[Symbol.asyncDispose]());
  const altering = (change: string) => async () => {
    const current = await mariadb.createUser();
    await mariadb.asRoot(`ALTER USER ${current.username} ${change}`);
    await step("setSecret", current, { pending: { ...current, password } });
  };
  refused("a locked account", "privilege", altering("ACCOUNT LOCK"));
  refused("an account whose password is expired", "privilege", altering("PASSWORD EXPIRE"));
  refused("an account without a password", "unsupported", altering("IDENTIFIED VIA unix_socket"));
  refused("multi-user", "unsupported", async () => {
    const { masterarn: _, ...current } = await mariadb.createUser();
    const { host, port, admin } = mariadb.server;
    const masterarn = await secretWith(JSON.stringify({ host, port, ...admin }));
    const pending = { ...current, masterarn, username: `${current.username}_clone`, password };
    await step("setSecret", { ...current, masterarn }, { strategy: "multi-user", pending });
  });
});

section("The admin secret (multi-user)", (refused) => {
  const successor = { username: "app_clone", password };
  const withAdmin = async (admin: object | string | undefined, options: { env?: Environment; user?: object } = {}) => {
    const user = { ...(await fixture.createUser()), ...options.user };
    const { masterarn: _, ...current } = user;
    const arn =
      typeof admin === "object"
        ? { masterarn: await secretWith(JSON.stringify(admin)) }
        : admin === undefined
          ? {}
          : { masterarn: admin };
    const pending = { ...current, ...arn, ...successor, username: `${current.username}_clone` };
    await step(
      "setSecret",
      { ...current, ...arn },
      { strategy: "multi-user", pending, ...(options.env ? { env: options.env } : {}) },
    );
  };
  const boss = () => ({ host: fixture.server.host, port: fixture.server.port, ...fixture.admin });
  refused("none named", "bad-secret", () => withAdmin(undefined));
  refused("one that does not exist", "bad-secret", () =>
    withAdmin("arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf"),
  );
  refused("one without a password", "bad-secret", () => withAdmin({ ...boss(), password: undefined }));
  refused("one for another host", "wrong-target", () => withAdmin({ ...boss(), host: "other.example" }));
  refused("one without a host, which RDS does not know", "bad-secret", () => withAdmin(fixture.admin));
  refused("one whose password is refused", "credentials-rejected", () =>
    withAdmin({ ...boss(), password: "never-in-a-log-3" }),
  );
  refused("AWSCURRENT's password refused at the admin's server", "credentials-rejected", () =>
    withAdmin(boss(), { user: { password: "never-in-a-log-4" } }),
  );
  refused("one of an admin without the right", "privilege", async () => {
    await fixture.asRoot("CREATE USER weak1 IDENTIFIED BY 'never-in-a-log-5'");
    await withAdmin({ ...boss(), username: "weak1", password: "never-in-a-log-5" });
  });
  refused("one of an admin who may read and not create users", "privilege", async () => {
    await fixture.asRoot("CREATE USER weak2 IDENTIFIED BY 'never-in-a-log-5'", "GRANT SELECT ON mysql.* TO weak2");
    await withAdmin({ ...boss(), username: "weak2", password: "never-in-a-log-5" });
  });
  refused("a user with a right that only an admin who has it may touch", "privilege", async () => {
    const current = await fixture.createUser();
    await fixture.asRoot(`GRANT SYSTEM_USER ON *.* TO ${current.username}`);
    await withAdmin(boss(), { user: current });
  });
  refused("an account that merely has the twin's name", "wrong-target", async () => {
    const current = await fixture.createUser();
    await fixture.createUser(`${current.username}_clone`);
    await withAdmin(boss(), { user: current });
  });
  refused("a twin at a host that the user has no account for", "wrong-target", async () => {
    const current = await fixture.createUser();
    await fixture.createUser(`${current.username}_clone`, undefined, "10.%");
    await withAdmin(boss(), { user: current });
  });
});

finish();
