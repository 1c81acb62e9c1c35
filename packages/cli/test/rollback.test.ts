import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";

let database: Database;
const run = (line: string) => quarterturnAt(database.service.local)(line);

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

async function rotated(keys?: object): Promise<string> {
  const secret = await database.createSecret(keys);
  await database.rotate(secret);
  return secret;
}

describe("rollback", () => {
  test("moves AWSCURRENT back to a version that still logs in, and the next rotation works", async () => {
    const secret = await rotated();
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    const previous = await database.version(secret, "AWSPREVIOUS");
    const ran = await run(`rollback ${secret} --yes`);
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "Version VERSION-1 of SECRET is AWSCURRENT again, and logs in.
      ---
      AWSPREVIOUS, version VERSION-1, logs in at DATABASE (as "SECRET")
      AWSPENDING is taken off version VERSION-2
      AWSCURRENT moves to version VERSION-1 from VERSION-2
      "
    `);
    expect(await database.version(secret, "AWSCURRENT")).toBe(previous);
    await database.rotate(secret);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("refuses where the previous password is no longer accepted, with the reason", async () => {
    const secret = await rotated();
    const current = await database.version(secret, "AWSCURRENT");
    const ran = await run(`rollback ${secret} --yes`);
    expect(ran.code).toBe(3);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      quarterturn: AWSCURRENT of "SECRET" was not moved. AWSPREVIOUS, version VERSION-1, is refused at DATABASE (as "SECRET"). With --restore-password an admin sets its password again.
      "
    `);
    expect(await database.version(secret, "AWSCURRENT")).toBe(current);
  });

  test("--restore-password sets the previous password again, as the admin", async () => {
    const secret = await rotated();
    const previous = await database.version(secret, "AWSPREVIOUS");
    const ran = await run(`rollback ${secret} --restore-password --admin-secret boss --yes`);
    expect(ran.stderr).not.toMatch(/^quarterturn:/m);
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "Version VERSION-1 of SECRET is AWSCURRENT again, and logs in.
      ---
      AWSPREVIOUS, version VERSION-1, is refused at DATABASE (as "SECRET")
      The password of "SECRET" at DATABASE is set to that of AWSPREVIOUS: whoever uses another one is refused from then on
      AWSPENDING is taken off version VERSION-2
      AWSCURRENT moves to version VERSION-1 from VERSION-2
      "
    `);
    expect(await database.version(secret, "AWSCURRENT")).toBe(previous);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    expect(await database.accepts(secret, "AWSPREVIOUS")).toBe(false);
  });

  test.each([
    ["the secret names no admin", "", /names no admin secret/],
    ["there is no such admin secret", " --admin-secret nobody", /no secret "nobody"/],
  ])("--restore-password where %s changes nothing", async (_, option, words) => {
    const secret = await rotated();
    const ran = await run(`rollback ${secret} --restore-password --yes${option}`);
    expect(ran.code).toBeGreaterThan(2);
    expect(ran.stderr).toMatch(words);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("an admin of another server is refused", async () => {
    const secret = await rotated();
    const value = JSON.stringify({ engine: "postgres", host: "elsewhere.example", username: "boss", password: "x" });
    await database.service.sm.createSecret({ Name: `${secret}-admin`, SecretString: value });
    const ran = await run(`rollback ${secret} --restore-password --yes --admin-secret ${secret}-admin`);
    expect(ran).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("is not the admin secret's (elsewhere.example:5432)"),
    });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("with no previous version, says so and what to try", async () => {
    const secret = await database.createSecret();
    const ran = await run(`rollback ${secret} --yes`);
    expect(ran.code).toBe(3);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      quarterturn: "SECRET" has no version that is AWSPREVIOUS, so there is nothing to go back to. See whether an older version logs in: quarterturn recover SECRET --endpoint-url http://HOST
      "
    `);
  });

  test("refuses while a rotation is not finished, which would move AWSCURRENT again", async () => {
    const secret = await rotated();
    await database.rotate(secret, "stops-at-setSecret");
    expect(await run(`rollback ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /is not finished, and would move AWSCURRENT again\. .*cancel app\d+ --clear-pending/,
      ),
    });
  });

  test("where the database cannot be reached, refuses", async () => {
    const secret = await database.createSecret({ port: 1 });
    const { sm } = database.service;
    await sm.putSecretValue({
      SecretId: secret,
      SecretString: JSON.stringify(await database.value(secret, "AWSCURRENT")),
    });
    expect(await run(`rollback ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/could not be tried: localhost:1/),
    });
  });
});
