/**
 * What only Redshift answers to what is given wrongly: each is a typed error in one line, nothing is touched, and the lines make
 * docs/errors/redshift.md. The rest is in rds-postgres and the conformance suite.
 */
import { type Environment, RotationError } from "@quarterturn/core";
import type { DatabaseSecret } from "@quarterturn/database";
import { tlsFaults } from "@quarterturn-tools/engines";
import { type ErrorRow, errorTables, type Refused } from "@quarterturn-tools/test/errors-page";
import { refusedConnections } from "@quarterturn-tools/test/refused-by-every-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ca, contextOf, type Fixture, multi, single, startFixture, successor } from "./fixture.ts";
import { startShowing } from "./imitation/server.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const rows: ErrorRow[] = [];

function section(group: string, register: (refused: Refused) => void): void {
  describe(group, () =>
    register((situation, code, work) =>
      test(`${situation}: ${code}`, async () => {
        const before = await users();
        const error = await work().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(RotationError);
        const { message, code: actual } = error as RotationError;
        expect(actual, message).toBe(code);
        expect(message).not.toMatch(/[\r\n]/);
        expect(message).not.toMatch(/Never-in-a-log/);
        const after = await users();
        // A test makes its own users.
        expect(after.filter(({ rolname }) => before.some((each) => each.rolname === rolname))).toEqual(before);
        expect(after.filter(({ rolname }) => rolname.endsWith("_clone") && !strangers.has(rolname))).toEqual([]);
        rows.push({ group, situation, code, message });
      }),
    ),
  );
}

/** Users that a test made itself. */
const strangers = new Set<string>();

async function users() {
  const { rows: all } = await fixture.server.superuser.query<{ rolname: string; rolpassword: string | null }>(
    "SELECT rolname, rolpassword, rolsuper FROM pg_authid ORDER BY oid",
  );
  return all;
}

const password = "Never-in-a-log-1";
const soon = { deadline: { remainingMs: () => 3_000, share: () => 1_000 } };

async function set(current: DatabaseSecret, strategy = single, admin: object = {}, pending?: DatabaseSecret) {
  const context = { ...contextOf(fixture, admin), ...soon };
  const next = pending ?? (await successor(current, strategy()));
  await strategy().set({ current, pending: next, previous: async () => undefined }, context);
}

const at = async (server: { host: string; port: number }) =>
  set({ ...(await fixture.createUser()), host: server.host, port: server.port, password });

section("The settings", (refused) => {
  const settings = (env: Environment) => async () => single(env);
  refused("a transport that there is not", "bad-setting", settings({ REDSHIFT_TRANSPORT: "jdbc" }));
  const otherNames = { REDSHIFT_TRANSPORT: "data-api", ALLOWED_HOSTS: "warehouse.example" };
  refused("other names of the host, over the Data API", "bad-setting", settings(otherNames));
  refused("no upper-case letters", "bad-setting", settings({ EXCLUDE_UPPERCASE: "true" }));
  refused("no digits, by EXCLUDE_CHARACTERS", "bad-setting", settings({ EXCLUDE_CHARACTERS: "0123456789" }));
  refused("passwords that are too long", "bad-setting", settings({ PASSWORD_LENGTH: "65" }));
});

section("The secret's value", (refused) => {
  refused("a user whose twin's name would be too long", "bad-secret", async () =>
    multi().create({ ...(await fixture.createUser()), username: "x".repeat(122) }, contextOf(fixture)),
  );
});

section("The server", (refused) => {
  const faults = tlsFaults(ca, startShowing);
  const showing = (fault: keyof typeof faults) => async () => {
    await using server = (await faults[fault]()).at;
    await at(server);
  };
  refused("a host name that does not exist", "unreachable", () => at({ host: "does-not-exist.invalid", port: 5439 }));
  refusedConnections(refused, at);
  refused("a server that speaks no TLS", "tls", showing("speaks-no-tls"));
  refused("a certificate of another authority", "tls", showing("foreign-certificate"));
  refused("a certificate for another host", "tls", showing("other-host-name"));
  refused("a wrong password in every version", "credentials-rejected", () => at(fixture.server));
  refused("a server that takes encrypted connections only, and a secret that wants none", "privilege", async () =>
    set({ ...(await fixture.createUser()), ssl: false }),
  );
  refused(
    "a user whose password is stored as SHA-256, which node-postgres cannot log in with",
    "unsupported",
    async () => {
      const current = await fixture.createUser();
      fixture.server.digestUsers.add(current.username);
      await set(current);
    },
  );
  refused("a database that does not exist", "bad-secret", async () =>
    set({ ...(await fixture.createUser()), dbname: "nowhere" }),
  );
});

section("The admin secret and the twin (multi-user)", (refused) => {
  refused("one whose password is refused", "credentials-rejected", async () =>
    set(await fixture.createUser(), multi, { password: "Never-in-a-log-2" }),
  );
  refused("one for another host", "wrong-target", async () =>
    set(await fixture.createUser(), multi, { host: "other.example" }),
  );
  refused("one without a host, and without the tags of a secret that Redshift manages", "bad-secret", async () =>
    set(await fixture.createUser(), multi, { host: undefined }),
  );
  refused("AWSCURRENT's password refused at the admin's server", "credentials-rejected", async () =>
    set({ ...(await fixture.createUser()), password: "Never-in-a-log-3" }, multi),
  );
  refused("an admin who is no superuser", "privilege", async () =>
    set(await fixture.createUser(), multi, await fixture.createUser()),
  );
  refused("a user who merely has the twin's name", "wrong-target", async () => {
    const current = await fixture.createUser();
    strangers.add(`${current.username}_clone`);
    await fixture.createUser(`${current.username}_clone`);
    await set(current, multi);
  });
  refused("a masking policy that holds for the original alone", "unsupported", async () => {
    const current = await fixture.createUser();
    await fixture.server.superuser.query(
      "INSERT INTO pg_catalog.svv_attached_masking_policy VALUES ('mask', 'sales', 'orders', '[]', $1, 'user')",
      [current.username],
    );
    await set(current, multi);
  });
  refused("a twin whose original there is not any more", "wrong-target", async () => {
    const original = await fixture.createUser();
    const twin = await fixture.createUser(`${original.username}_clone`);
    strangers.add(twin.username);
    await fixture.server.superuser.query(`DROP USER "${original.username}"`);
    await set(twin, multi);
  });
});

section("The Data API", (refused) => {
  const byDataApi = () => single({ REDSHIFT_TRANSPORT: "data-api" });
  refused("a host that is not an endpoint", "bad-secret", async () =>
    set({ ...(await fixture.createUser()), host: "warehouse.example.com" }, byDataApi),
  );
  refused("an endpoint in another Region or account", "bad-secret", async () =>
    set({ ...(await fixture.createUser()), host: "prod.abc123.eu-west-1.redshift.amazonaws.com" }, byDataApi),
  );
});

test("docs/errors/redshift.md shows these messages", async () => {
  await expect(`# Errors: Redshift

<!-- Written by packages/redshift/test/bad-input.test.ts: \`npx vitest run packages/redshift -u\` renews it. -->

What differs from [the errors of PostgreSQL](rds-postgres.md), without the step and the secret that each begins with. The server that answered is
an imitation of Redshift; the words about it are this project's own, except what stands before a SQLSTATE.

${errorTables(rows)}`).toMatchFileSnapshot("../../../docs/errors/redshift.md");
});
