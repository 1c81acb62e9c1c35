import { type DatabaseSecret, multiUser, singleUser } from "@quarterturn/database";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redshiftDirectory } from "../../src/directory.ts";
import { redshift, redshiftSettings } from "../../src/index.ts";
import { storedForm } from "../../src/password.ts";
import { contextOf, type Fixture, startFixture } from "./fixture.ts";

/*
 * A step reads AWSCURRENT, and what it reads may be replaced before the database is asked. The function must show the values that it has
 * read: with a secret's ARN it would be whatever the secret has by then.
 */

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  for (const name of ["victim", "attacker"]) {
    await fixture.superuser.query(`CREATE USER ${name} PASSWORD '${storedForm(name, `of-${name}`)}'`);
  }
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(() => fixture.superuser.query(`ALTER USER app PASSWORD '${storedForm("app", "right")}'`));

const env = () => ({ REDSHIFT_TRANSPORT: "data-api", SECRETS_MANAGER_ENDPOINT: fixture.secretsFront.url });
const secretOf = (username: string, password: string): DatabaseSecret => ({
  host: fixture.app.host,
  port: 5439,
  dbname: "dev",
  username,
  password,
  userKeys: {},
  ssl: true,
  masterarn: fixture.adminArn,
});
const putCurrent = (username: string, password: string) =>
  fixture.sm.putSecretValue({
    SecretId: fixture.secretArn,
    SecretString: JSON.stringify({ username, password }),
  });
const isUser = async (name: string) =>
  (await fixture.superuser.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", [name])).rowCount === 1;

describe("where AWSCURRENT is replaced after it was read", () => {
  test("an admin acts for no user whose own password was not shown, whosever password AWSCURRENT has by now", async () => {
    await putCurrent("attacker", "of-attacker");
    const rotator = multiUser(redshift(env()), redshiftDirectory, redshiftSettings(env()));
    const values = {
      current: secretOf("victim", "a guess"),
      pending: secretOf("victim_clone", "Chosen-by-nobody-1"),
      previous: async () => undefined,
    };
    await expect(rotator.set(values, contextOf(fixture))).rejects.toMatchObject({ code: "credentials-rejected" });
    expect(await isUser("victim_clone")).toBe(false);
    expect(await fixture.probes()).toEqual([]);
  });

  test("a user's password is not changed where the one that was read does not log in any more", async () => {
    await putCurrent("app", "right");
    const values = {
      current: secretOf("app", "outdated"),
      pending: secretOf("app", "Abandoned-1"),
      previous: async () => undefined,
    };
    const rotator = singleUser(redshift(env()), redshiftSettings(env()));
    await expect(rotator.set(values, contextOf(fixture))).rejects.toMatchObject({ code: "credentials-rejected" });
    expect(await fixture.transport.connect(fixture.app, contextOf(fixture))).toMatchObject({ user: "app" });
  });
});

test("credentials that log in as another user prove nothing about theirs", async () => {
  await putCurrent("attacker", "of-attacker");
  const login = { ...fixture.app, username: "victim", secretArn: fixture.secretArn };
  await expect(redshift(env()).probe(login, contextOf(fixture))).rejects.toMatchObject({
    code: "wrong-target",
    message: expect.stringMatching(/the login of "victim" is a session of "attacker"/),
  });
});
