import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passwordVerifier } from "../src/verifier.ts";
import { alternate, contextOf, type Fixture, multi, single, startFixture, successor } from "./fixture.ts";

const stored = async (fixture: Fixture, username: string) =>
  (
    await fixture.superuser.query<{ rolpassword: string }>("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [
      username,
    ])
  ).rows[0]?.rolpassword ?? "";

async function rotate(fixture: Fixture, env = {}, current = fixture.createUser()) {
  const from = await current;
  const pending = await successor(from);
  await single(env).set({ current: from, pending, previous: async () => undefined }, contextOf(fixture));
  await single(env).test(pending, contextOf(fixture));
  return pending;
}

describe("the password verifier", () => {
  test("is what the server itself makes of the password, with the same salt", async () => {
    await using fixture = await startFixture();
    await fixture.superuser.query("CREATE ROLE reference LOGIN");
    const passwords = fc.sample(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 60 }), 50);
    for (const password of passwords) {
      await fixture.superuser.query(
        `SET password_encryption = 'scram-sha-256'; ALTER ROLE reference PASSWORD ${fixture.superuser.escapeLiteral(password)}`,
      );
      const reference = await stored(fixture, "reference");
      const salt = Buffer.from(reference.split(/[:$]/)[2] ?? "", "base64");
      expect(passwordVerifier("reference", password, "scram-sha-256", salt)).toBe(reference);
      await fixture.superuser.query(
        `SET password_encryption = 'md5'; ALTER ROLE reference PASSWORD ${fixture.superuser.escapeLiteral(password)}`,
      );
      expect(passwordVerifier("reference", password, "md5")).toBe(await stored(fixture, "reference"));
    }
  });

  test("is sent instead of the password: with every statement logged, the log holds no password (promise 3)", async () => {
    await using fixture = await startFixture({
      settings: { log_statement: "all", log_min_error_statement: "debug5", log_connections: "on" },
    });
    const first = await fixture.createUser();
    const created = (await readFile(fixture.server.logFile, "utf8")).length;
    const second = await rotate(fixture, {}, Promise.resolve(first));
    const third = await alternate(fixture, second);
    const log = (await readFile(fixture.server.logFile, "utf8")).slice(created);
    expect(log).toContain("SCRAM-SHA-256$");
    for (const { password } of [first, second, third]) expect(log).not.toContain(password);
  });

  test("PASSWORD_VERIFIER=false sends the password, for extensions that judge it", async () => {
    await using fixture = await startFixture({ settings: { log_statement: "all" } });
    const pending = await rotate(fixture, { PASSWORD_VERIFIER: "false" });
    expect(await readFile(fixture.server.logFile, "utf8")).toContain(pending.password.replaceAll("'", "''"));
    expect(await stored(fixture, pending.username)).toMatch(/^SCRAM-SHA-256\$/);
  });

  test.each(["md5", "password"])(
    "a server that stores md5 and asks the function for %s keeps storing md5, for clients that know nothing newer",
    async (method) => {
      await using fixture = await startFixture({
        settings: { password_encryption: "md5" },
        hba: [`hostssl all all all ${method}`],
      });
      const pending = await rotate(fixture);
      expect(await stored(fixture, pending.username)).toMatch(/^md5[0-9a-f]{32}$/);
      // The users of the secret need not be let into the admin's database for their passwords to be proven there.
      await fixture.superuser.query("CREATE DATABASE of_admins");
      await fixture.superuser.query(
        "REVOKE CONNECT ON DATABASE of_admins FROM PUBLIC; GRANT CONNECT ON DATABASE of_admins TO boss",
      );
      const twin = await alternate(fixture, pending, contextOf(fixture, { dbname: "of_admins" }));
      expect(await stored(fixture, twin.username)).toMatch(/^md5[0-9a-f]{32}$/);
    },
  );

  test("a setting of the user or of the database cannot lock the user out by an md5 form that the server refuses", async () => {
    // Where pg_hba.conf takes both, the setting would weaken what is stored without anybody noticing.
    await using fixture = await startFixture({ hba: ["hostssl all all all md5"] });
    const first = await fixture.createUser();
    await fixture.superuser.query(
      `ALTER ROLE ${first.username} SET password_encryption TO 'md5'; ALTER DATABASE postgres SET password_encryption TO 'md5'`,
    );
    const second = await rotate(fixture, {}, Promise.resolve(first));
    const third = await alternate(fixture, second);
    for (const { username } of [second, third]) expect(await stored(fixture, username)).toMatch(/^SCRAM-SHA-256\$/);
  });

  describe("a server that is configured to store md5 and to demand SCRAM gets SCRAM", () => {
    let fixture: Fixture;
    beforeAll(async () => {
      fixture = await startFixture({ settings: { password_encryption: "md5", log_statement: "all" } });
      await fixture.superuser.query(
        "SET password_encryption = 'scram-sha-256'; ALTER ROLE boss PASSWORD 'boss-password'",
      );
    });
    afterAll(() => fixture[Symbol.asyncDispose]());

    test.each(["true", "false"])("with PASSWORD_VERIFIER=%s, whoever sets it", async (PASSWORD_VERIFIER) => {
      const second = await rotate(fixture, { PASSWORD_VERIFIER });
      const twins = multi({ PASSWORD_VERIFIER });
      const third = await successor(second, twins);
      await twins.set({ current: second, pending: third, previous: async () => undefined }, contextOf(fixture));
      await twins.test(third, contextOf(fixture));
      for (const { username } of [second, third]) expect(await stored(fixture, username)).toMatch(/^SCRAM-SHA-256\$/);
    });

    test("at once where a user changes its own: between two forms nobody could log in, and no retry would come back from there", async () => {
      const current = await fixture.createUser();
      await rotate(fixture, {}, Promise.resolve(current));
      const changes = (await readFile(fixture.server.logFile, "utf8"))
        .split("\n")
        .filter((line) => line.includes(`ALTER ROLE "${current.username}" PASSWORD`));
      expect(changes).toEqual([expect.stringContaining("PASSWORD 'SCRAM-SHA-256$")]);
    });
  });

  test("what is sent as it is, is stored as the server is configured, whatever the user's own setting says", async () => {
    await using fixture = await startFixture();
    for (const [env, password] of [
      [{ PASSWORD_VERIFIER: "false" }, "ascii-only"],
      [{}, "pässwörd"],
    ] as const) {
      const current = await fixture.createUser();
      await fixture.superuser.query(`ALTER ROLE ${current.username} SET password_encryption TO 'md5'`);
      const pending = { ...current, password };
      await single(env).set({ current, pending, previous: async () => undefined }, contextOf(fixture));
      await single(env).test(pending, contextOf(fixture));
    }
  });

  test("PASSWORD_VERIFIER=false refuses a password that the server would take for a verifier", async () => {
    await using fixture = await startFixture();
    const current = await fixture.createUser();
    const pending = { ...current, password: `md5${"0".repeat(32)}` };
    const refused = single({ PASSWORD_VERIFIER: "false" }).set(
      { current, pending, previous: async () => undefined },
      contextOf(fixture),
    );
    await expect(refused).rejects.toMatchObject({ code: "bad-secret" });
    await fixture.query(current, "SELECT 1");
  });
});
