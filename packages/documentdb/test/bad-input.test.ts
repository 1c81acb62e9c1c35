/**
 * What only a server of MongoDB's protocol answers to what is given wrongly: each is a typed error in one line, and the lines make
 * docs/errors/documentdb.md. The rest is in rds-postgres and the conformance suite.
 */
import { startFerretdb, tlsFaults } from "@quarterturn-tools/engines";
import { errorsPage } from "@quarterturn-tools/test/errors-page";
import { refusedByEveryEngine, refusedConnections } from "@quarterturn-tools/test/refused-by-every-engine";
import { stepsByHand } from "@quarterturn-tools/test/steps-by-hand";
import { afterAll, beforeAll } from "vitest";
import { manifest } from "../src/index.ts";
import { ca, type Fixture, multi, single, startFixture, startTimeout } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
}, startTimeout);
afterAll(() => fixture[Symbol.asyncDispose]());

const steps = stepsByHand(
  { "single-user": single, "multi-user": multi },
  async () => (await fixture.root.command({ usersInfo: { forAllDBs: true } })).users,
);
const { section, finish } = errorsPage(manifest.name, "DocumentDB");
const { step, url } = steps;
const { account, adminSecrets, at, boss, password, passwords, withAdmin } = refusedByEveryEngine(() => fixture, steps);

section("The secret's value", (refused) => {
  refused("another engine", "bad-secret", () => step("createSecret", account({ engine: "docdb" })));
  refused("an authSource that is not text", "bad-secret", () => step("createSecret", account({ authSource: 7 })));
  refused("single-user: another authentication database in the pending version", "wrong-target", () =>
    step("setSecret", account({ dbname: "shop" }), { pending: account({ dbname: "other" }) }),
  );
});

section("The server", (refused) => {
  const faults = tlsFaults(ca, (certificate) => startFerretdb({ certificate }));
  const showing = (fault: keyof typeof faults) => async () => {
    await using server = (await faults[fault]()).at;
    await at(server);
  };
  refused("a host name that does not exist", "unreachable", () => at({ host: "does-not-exist.invalid", port: 27017 }));
  refusedConnections(refused, at, ["closed", "drops", "silent"]);
  refused("a server that speaks no TLS", "tls", showing("speaks-no-tls"));
  refused("an expired certificate", "tls", showing("expired-certificate"));
  refused("a certificate of another authority", "tls", showing("foreign-certificate"));
  refused("a certificate for another host", "tls", showing("other-host-name"));
  passwords(refused);
  refused("a user of another authentication database", "credentials-rejected", async () => {
    const current = { ...(await fixture.createUser()), authSource: "other" };
    await step("testSecret", current, { pending: current });
  });
  refused("a server that takes encrypted connections only, and a secret that wants none", "unreachable", async () => {
    const current = { ...(await fixture.createUser()), ssl: false };
    await step("testSecret", current, { pending: current });
  });
  refused("a port of another protocol", "tls", () => at({ host: "localhost", port: Number(new URL(url()).port) }));
  refused("a port of another protocol, in plaintext", "unreachable", async () => {
    const current = account({ port: Number(new URL(url()).port), ssl: false });
    await step("testSecret", current, { pending: current });
  });
  refused("a user that may not change its own password", "privilege", async () => {
    const user = await fixture.createUser({ roles: [{ role: "readWrite", db: "shop" }] });
    const current = { ...user, authSource: "shop" };
    await step("setSecret", current, { pending: { ...current, password } });
  });
  refused("an instance that is not the primary", "unsupported", async () => {
    await using server = await startFerretdb({
      certificate: await ca.issue({ hosts: ["localhost"] }),
      imitates: "a secondary",
    });
    const current = account({ host: server.host, port: server.port, ...server.admin });
    await step("setSecret", current, { pending: { ...current, password } });
  });
});

section("The admin secret (multi-user)", (refused) => {
  adminSecrets(refused);
  refused("one of an admin without the right", "privilege", async () => {
    await fixture.root.command({ createUser: "weak1", pwd: "never-in-a-log-5", roles: [] });
    await withAdmin({ ...boss(), username: "weak1", password: "never-in-a-log-5" });
  });
  refused("a user of the twin's name that is somebody else's", "wrong-target", async () => {
    const user = await fixture.createUser();
    await fixture.createUser({ name: `${user.username}_clone` });
    await withAdmin(boss(), user);
  });
});

finish();
