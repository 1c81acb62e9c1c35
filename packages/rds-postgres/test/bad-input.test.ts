/**
 * Everything that can be given to the functions wrongly: each is a typed error in one line, nothing is touched, and the lines make
 * docs/errors/rds-postgres.md.
 */
import { CancelRotateSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { startPostgres, tlsFaults } from "@quarterturn-tools/engines";
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

const steps = stepsByHand(
  { "single-user": single, "multi-user": multi },
  async () => (await fixture.superuser.query("SELECT * FROM pg_authid ORDER BY oid")).rows,
);
const { section, finish } = errorsPage(manifest.name, "PostgreSQL");
const { client, invoke, secretWith, step } = steps;
const { account, adminSecrets, at, boss, password, passwords, withAdmin } = refusedByEveryEngine(() => fixture, steps);

section("The event", (refused) => {
  const event = { Step: "createSecret", SecretId: "arn:secret", ClientRequestToken: "token" };
  refused("no step", "bad-event", () =>
    invoke({ SecretId: event.SecretId, ClientRequestToken: event.ClientRequestToken }),
  );
  refused("an unknown step", "bad-event", () => invoke({ ...event, Step: "deleteSecret" }));
  refused("a test event of the console", "bad-event", () => invoke({ key1: "value1" }));
  refused("a secret that does not exist", "service", () => invoke(event));
  refused("a token that is not a version", "not-staged", async () =>
    invoke({ ...event, SecretId: await secretWith("{}") }),
  );
  refused("setSecret of a version that createSecret has not written", "not-staged", () => step("setSecret", account()));
  refused("a version with no label", "not-staged", async () => {
    const id = await secretWith("{}");
    const token = "00000000-0000-4000-8000-000000000000";
    await client().send(
      new PutSecretValueCommand({
        SecretId: id,
        ClientRequestToken: token,
        SecretString: JSON.stringify(account()),
        VersionStages: ["AWSPENDING"],
      }),
    );
    await client().send(
      new PutSecretValueCommand({
        SecretId: id,
        SecretString: JSON.stringify(account()),
        VersionStages: ["AWSPENDING"],
      }),
    );
    await invoke({ Step: "setSecret", SecretId: id, ClientRequestToken: token });
  });
  refused("a version that was current and is no longer", "superseded", async () => {
    const id = await secretWith("{}");
    const token = "00000000-0000-4000-8000-000000000001";
    await client().send(new PutSecretValueCommand({ SecretId: id, ClientRequestToken: token, SecretString: "{}" }));
    await client().send(new PutSecretValueCommand({ SecretId: id, SecretString: "{}" }));
    await invoke({ Step: "finishSecret", SecretId: id, ClientRequestToken: token });
  });
  refused("rotation that was cancelled", "not-enabled", () =>
    step("createSecret", account(), { before: (id) => client().send(new CancelRotateSecretCommand({ SecretId: id })) }),
  );
  refused("a setting that means nothing", "bad-setting", () =>
    step("createSecret", account(), { env: { PASSWORD_LENGTH: "long" } }),
  );
  refused("settings that permit no password", "bad-setting", () =>
    step("createSecret", account(), { env: { PASSWORD_LENGTH: "3" } }),
  );
});

section("The secret's value", (refused) => {
  refused("not JSON", "bad-secret", () => step("createSecret", "password=never-in-a-log"));
  refused("an array", "bad-secret", () => step("createSecret", '["never-in-a-log"]'));
  refused("binary", "bad-secret", () => step("createSecret", Buffer.from(JSON.stringify(account()))));
  for (const key of ["host", "username", "password"])
    refused(`no ${key}`, "bad-secret", () => step("createSecret", account({ [key]: undefined })));
  refused('a port of "abc"', "bad-secret", () => step("createSecret", account({ port: "abc" })));
  refused("another engine", "bad-secret", () => step("createSecret", account({ engine: "mysql" })));
  refused("ssl that is neither true nor false", "bad-secret", () => step("createSecret", account({ ssl: "prefer" })));
  refused("a user whose twin's name would be too long", "bad-secret", () =>
    step("createSecret", account({ username: "x".repeat(60) }), { strategy: "multi-user" }),
  );
  refused("single-user: another user in the pending version", "wrong-target", () =>
    step("setSecret", account(), { pending: account({ username: "other" }) }),
  );
  refused("another host in the pending version", "wrong-target", () =>
    step("setSecret", account(), { pending: account({ host: "other.example" }) }),
  );
  refused("multi-user: a pending user that is neither the user nor its twin", "wrong-target", () =>
    step("setSecret", account(), { strategy: "multi-user", pending: account({ username: "other" }) }),
  );
  refused("multi-user: a pending version of the same user", "superseded", () =>
    step("setSecret", account(), { strategy: "multi-user", pending: account() }),
  );
});

section("The server", (refused) => {
  const faults = tlsFaults(ca, (certificate) => startPostgres({ certificate }));
  const showing = (fault: keyof typeof faults) => async () => {
    await using server = (await faults[fault]()).at;
    await at(server);
  };
  refused("a host name that does not exist", "unreachable", () => at({ host: "does-not-exist.invalid", port: 5432 }));
  refusedConnections(refused, at);
  refused("a server that speaks no TLS", "tls", showing("speaks-no-tls"));
  refused("an expired certificate", "tls", showing("expired-certificate"));
  refused("a certificate of another authority", "tls", showing("foreign-certificate"));
  refused("a certificate for another host", "tls", showing("other-host-name"));
  refused("an address that the certificate does not hold", "tls", async () => {
    await using server = await startPostgres({ certificate: await ca.issue({ hosts: ["localhost"] }) });
    await at({ host: "127.0.0.1", port: server.port });
  });
  passwords(refused);
  refused("a user that may not log in", "privilege", async () => {
    const current = await fixture.createUser();
    await fixture.superuser.query(`ALTER ROLE ${current.username} NOLOGIN`);
    await step("setSecret", current, { pending: { ...current, password } });
  });
  refused("a user that has all the connections that it may have", "busy", async () => {
    const current = await fixture.createUser();
    await fixture.superuser.query(`ALTER ROLE ${current.username} CONNECTION LIMIT 0`);
    await step("setSecret", current, { pending: { ...current, password } });
  });
  refused("a database that does not exist", "bad-secret", async () => {
    const current = { ...(await fixture.createUser()), dbname: "nowhere" };
    await step("setSecret", current, { pending: { ...current, password } });
  });
});

section("The admin secret (multi-user)", (refused) => {
  adminSecrets(refused);
  refused("one of an admin without the right", "privilege", async () => {
    await fixture.superuser.query("CREATE ROLE weak1 LOGIN PASSWORD 'never-in-a-log-5'");
    await withAdmin({ ...boss(), username: "weak1", password: "never-in-a-log-5" });
  });
});

finish();
