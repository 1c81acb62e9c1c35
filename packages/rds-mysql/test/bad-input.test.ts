/** What only MySQL answers to what is given wrongly: each is a typed error in one line. The rest is in rds-postgres and the conformance suite. */
import { type MysqlServer, startMariadb, startMysql, tlsFaults } from "@quarterturn-tools/engines";
import { errorsPage } from "@quarterturn-tools/test/errors-page";
import { refusedByEveryEngine, refusedConnections } from "@quarterturn-tools/test/refused-by-every-engine";
import { stepsByHand } from "@quarterturn-tools/test/steps-by-hand";
import { afterAll, beforeAll } from "vitest";
import { manifest } from "../src/index.ts";
import { ca, type Fixture, multi, single, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

// What a step may leave is a twin that is not whole yet, and cannot log in.
const steps = stepsByHand({ "single-user": single, "multi-user": multi }, () =>
  fixture.asRoot("SELECT * FROM mysql.user WHERE account_locked = 'N' ORDER BY User, Host"),
);
const { section, finish } = errorsPage(manifest.name, "MySQL and MariaDB");
const { secretWith, step } = steps;
const { account, adminSecrets, at, boss, password, passwords, withAdmin } = refusedByEveryEngine(() => fixture, steps);

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
  // Started before, so that the time of a row is the function's own.
  const faults = tlsFaults(ca, (certificate) => startMysql({ certificate }));
  const started = new Map<string, MysqlServer>();
  beforeAll(async () => {
    for (const [fault, start] of Object.entries(faults)) started.set(fault, (await start()).at);
  });
  afterAll(async () => {
    for (const server of started.values()) await server.close();
  });
  refused("a host name that does not exist", "unreachable", () => at({ host: "does-not-exist.invalid", port: 3306 }));
  refused("an address, of which no certificate is verified", "tls", () => at({ host: "127.0.0.1", port: 3306 }));
  refusedConnections(refused, ({ port }) => at({ host: "localhost", port }));
  const showing = (fault: keyof typeof faults) => () => at({ host: "localhost", port: started.get(fault)?.port ?? 0 });
  refused("a server that speaks no TLS", "tls", showing("speaks-no-tls"));
  refused("a server that has an expired certificate", "tls", showing("expired-certificate"));
  refused("a server that has a certificate of another authority", "tls", showing("foreign-certificate"));
  refused("a server that has a certificate for another host", "tls", showing("other-host-name"));
  passwords(refused);
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
  adminSecrets(refused);
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
    await withAdmin(boss(), current);
  });
  refused("an account that merely has the twin's name", "wrong-target", async () => {
    const current = await fixture.createUser();
    await fixture.createUser(`${current.username}_clone`);
    await withAdmin(boss(), current);
  });
  refused("a twin at a host that the user has no account for", "wrong-target", async () => {
    const current = await fixture.createUser();
    await fixture.createUser(`${current.username}_clone`, undefined, "10.%");
    await withAdmin(boss(), current);
  });
});

finish();
