import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";

let database: Database;
const run = (line: string) => quarterturnAt(database.service.local)(line);

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** A secret whose application is locked out: its value was overwritten, twice, so that no label leads to the one that works. */
async function overwritten(): Promise<string> {
  const secret = await database.createSecret();
  await database.rotate(secret);
  const value = await database.value(secret, "AWSCURRENT");
  for (const password of ["wrong-1", "wrong-2"])
    await database.service.sm.putSecretValue({
      SecretId: secret,
      SecretString: JSON.stringify({ ...value, password }),
    });
  return secret;
}

/** Times of creation are to the minute. */
const timeless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, "YYYY-MM-DD HH:MM UTC");

describe("recover", () => {
  test("finds the version that the database accepts, though it has no label, and makes it AWSCURRENT", async () => {
    const secret = await overwritten();
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(false);
    const ran = await run(`recover ${secret} --yes`);
    expect(ran.code).toBe(0);
    expect(timeless(steady(ran))).toMatchInlineSnapshot(`
      "Version VERSION-1 of SECRET is AWSCURRENT, and logs in.
      ---
      VERSION-2  AWSCURRENT, YYYY-MM-DD HH:MM UTC
        is refused at DATABASE (as "SECRET")
      VERSION-3  AWSPREVIOUS, YYYY-MM-DD HH:MM UTC
        is refused at DATABASE (as "SECRET")
      VERSION-1  no label, YYYY-MM-DD HH:MM UTC
        logs in at DATABASE (as "SECRET")
      VERSION-4  no label, YYYY-MM-DD HH:MM UTC
        not tried: not needed
      AWSCURRENT moves to version VERSION-1 from VERSION-2
      "
    `);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    await database.rotate(secret);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("asks before it moves a label", async () => {
    const secret = await overwritten();
    expect(await run(`recover ${secret}`)).toMatchObject({ code: 2, stdout: "" });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(false);
  });

  test("of a rotation that stopped after the password was changed promotes the pending version, and rotations go on", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret, "stops-at-testSecret");
    await run(`cancel ${secret} --yes`);
    expect(await run(`recover ${secret} --yes`)).toMatchObject({ code: 0 });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    await database.rotate(secret);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("refuses while a rotation may still end it by itself", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret, "stops-at-testSecret");
    expect(await run(`recover ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("in progress"),
    });
  });

  test("where AWSCURRENT logs in, changes nothing and tries nothing else", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret);
    const { stdout, code } = await run(`recover ${secret} --yes --json`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      recovered: null,
      changes: [],
      versions: [{ login: "accepted" }, { login: "not tried", reason: "not needed" }],
    });
  });

  test("where nothing logs in, an admin sets AWSCURRENT's password anew; a stuck rotation ends", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret, "stops-at-setSecret");
    await run(`cancel ${secret} --yes`);
    await database.setPassword(secret, "somebody-elses");
    const current = await database.version(secret, "AWSCURRENT");
    const without = await run(`recover ${secret} --yes`);
    expect(without).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("nobody is known who could set its password"),
    });

    const ran = await run(`recover ${secret} --yes --admin-secret boss`);
    expect(ran.code).toBe(0);
    expect(timeless(steady(ran))).toMatchInlineSnapshot(`
      "AWSCURRENT of SECRET logs in again.
      ---
      VERSION-1  AWSCURRENT, YYYY-MM-DD HH:MM UTC
        is refused at DATABASE (as "SECRET")
      VERSION-2  AWSPENDING, YYYY-MM-DD HH:MM UTC
        is refused at DATABASE (as "SECRET")
      The password of "SECRET" at DATABASE is set to that of AWSCURRENT: whoever uses another one is refused from then on
      AWSPENDING is taken off version VERSION-2
      "
    `);
    expect(await database.version(secret, "AWSCURRENT")).toBe(current);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    await database.rotate(secret);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("the secret's own masterarn is the admin's", async () => {
    const secret = await database.createSecret({ masterarn: "boss" });
    await database.setPassword(secret, "somebody-elses");
    expect(await run(`recover ${secret} --yes`)).toMatchObject({ code: 0 });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("a value that is no JSON is passed over, and the version before it recovered", async () => {
    const secret = await database.createSecret();
    await database.service.sm.putSecretValue({ SecretId: secret, SecretString: "never-shown" });
    const ran = await run(`recover ${secret} --yes`);
    expect(ran.code).toBe(0);
    expect(ran.stdout + ran.stderr).not.toContain("never-shown");
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("another user's or server's credentials are not tried, although they log in", async () => {
    const secret = await database.createSecret();
    const other = await database.createSecret();
    const own = await database.value(secret, "AWSCURRENT");
    const { sm } = database.service;
    await sm.putSecretValue({
      SecretId: secret,
      SecretString: JSON.stringify(await database.value(other, "AWSCURRENT")),
    });
    await sm.putSecretValue({ SecretId: secret, SecretString: JSON.stringify({ ...own, port: 1 }) });
    await sm.putSecretValue({ SecretId: secret, SecretString: JSON.stringify({ ...own, password: "wrong" }) });
    await database.setPassword(secret, "somebody-elses");
    const { stdout, stderr, code } = await run(`recover ${secret} --yes`);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("another server");
    expect(stderr).toContain("another user");
  });

  test("where the database cannot be reached, changes nothing", async () => {
    const secret = await database.createSecret({ port: 1, masterarn: "boss" });
    expect(await run(`recover ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("not every version could be tried"),
    });
  });

  test("a secret of no database is one line", async () => {
    await database.service.sm.createSecret({ Name: "token", SecretString: "never-shown" });
    const { code, stderr } = await run("recover token --yes --debug");
    expect(code).toBe(3);
    expect(stderr).toContain("is the value of a database that is known here");
    expect(stderr).not.toContain("never-shown");
  });
});
