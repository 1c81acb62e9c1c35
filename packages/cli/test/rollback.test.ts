import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";
import { startImitatedAws } from "./imitated-aws.ts";

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

/** Does something when AWSPENDING has been taken off, which is just before the password is set, or AWSCURRENT moves. */
function withAws(act: () => Promise<unknown>) {
  let calls = 0;
  return startImitatedAws(database.service.local.url, "none", async (operation) => {
    if (operation === "UpdateSecretVersionStage" && ++calls === 1) await act();
    return undefined;
  });
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

  test("--restore-password sets none where the previous one still logs in", async () => {
    const secret = await rotated();
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    const { code, stdout } = await run(`rollback ${secret} --restore-password --yes --json`);
    expect({ code, restored: JSON.parse(stdout).passwordRestored }).toEqual({ code: 0, restored: false });
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
      AWSPENDING is taken off version VERSION-2
      The password of "SECRET" at DATABASE is set to that of AWSPREVIOUS: whoever uses another one is refused from then on
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
      stderr: expect.stringMatching(
        /is not the admin secret's \(elsewhere\.example:5432\)(?!.*ALLOWED_HOSTS).*--admin-secret ARN\.$/m,
      ),
    });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("a label that somebody else moves in between is left, and the line says what was changed before", async () => {
    const secret = await rotated();
    const older = await database.version(secret, "AWSPREVIOUS");
    await database.rotate(secret);
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    await using aws = await withAws(() => database.promote(secret, older));
    const ran = await quarterturnAt(aws)(`rollback ${secret} --yes`);
    expect(ran).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /AWSCURRENT of .* is on version \S+ by now, and was left so\. AWSPENDING was taken off version \S+\. See/,
      ),
    });
    expect(await database.version(secret, "AWSCURRENT")).toBe(older);
  });

  // The SDK sends the same again, and gets the first: the label is not where it was.
  test.each(["InvalidParameterException", "InvalidRequestException"])(
    "a change whose answer was lost is done, whatever the service says then: %s",
    async (__type) => {
      const secret = await rotated();
      const previous = await database.version(secret, "AWSPREVIOUS");
      await using aws = await startImitatedAws(database.service.local.url, "none", async (operation) =>
        operation === "UpdateSecretVersionStage"
          ? { __type, message: "It is not attached to that version." }
          : undefined,
      );
      const line = `rollback ${secret} --restore-password --admin-secret boss --yes`;
      expect(await quarterturnAt(aws)(line)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/is AWSCURRENT again, and logs in/),
      });
      expect(await database.version(secret, "AWSCURRENT")).toBe(previous);
      await expect(database.version(secret, "AWSPENDING")).rejects.toThrow();
      expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    },
  );

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
        /AWSCURRENT .* was not moved: .* is not finished\. .*cancel app\d+ --clear-pending/,
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
    const previous = await database.version(secret, "AWSPREVIOUS");
    expect(await run(`rollback ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /could not be tried: localhost:1 (?!.*(function|subnet)).*Run this where the database is/,
      ),
    });
    expect(await database.version(secret, "AWSPREVIOUS")).toBe(previous);
  });

  test("--admin-secret is the admin's, whatever the secret's masterarn says", async () => {
    const secret = await rotated({ masterarn: "nobody" });
    const ran = await run(`rollback ${secret} --restore-password --admin-secret boss --yes`);
    expect(ran.code).toBe(0);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("--restore-password by an admin who may not says so, and what was changed", async () => {
    const secret = await rotated();
    await database.superuser.query(`REVOKE ${secret} FROM boss`);
    const ran = await run(`rollback ${secret} --restore-password --admin-secret boss --yes`);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(
      /^quarterturn: .*permission denied.*; no password was set\. AWSPENDING was taken off version \S+\. .*GRANT/m,
    );
    expect(ran.stderr).not.toMatch(/changed nothing/);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test.each(["boss", "boss_clone", "BOSS"])(
    "--restore-password never sets the admin's own password, nor its twin's: %s",
    async (username) => {
      const { sm } = database.service;
      const boss = await database.value("boss", "AWSCURRENT");
      const old = { ...boss, username, password: "an-old-one" };
      const current = { ...boss, username: username === "BOSS" ? username : "boss" };
      await sm.createSecret({ Name: `own-${username}`, SecretString: JSON.stringify(old) });
      await sm.putSecretValue({ SecretId: `own-${username}`, SecretString: JSON.stringify(current) });
      const ran = await run(`rollback own-${username} --restore-password --admin-secret boss --yes`);
      expect(ran).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(`"${username}" is the admin of boss itself`),
      });
      expect(await database.accepts("boss", "AWSCURRENT")).toBe(true);
    },
  );

  /** A secret whose value was overwritten by that of another user, or of another server, or by one that is no JSON. */
  async function overwritten(value: object | string): Promise<string> {
    const secret = await database.createSecret();
    const own = await database.value(secret, "AWSCURRENT");
    const SecretString = typeof value === "string" ? value : JSON.stringify({ ...own, ...value });
    await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
    return secret;
  }

  test.each([
    ["user", { username: "somebody" }],
    ["server", { port: 1 }],
  ])("of another %s than AWSCURRENT's is refused, with the command that means it", async (what, keys) => {
    const secret = await overwritten(keys);
    for (const option of ["", " --restore-password --admin-secret boss"]) {
      const ran = await run(`rollback ${secret} --yes${option}`);
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(
        new RegExp(`is of another ${what} \\(.*\\)\\. If that is meant: quarterturn stage ${secret} AWSCURRENT`),
      );
    }
  });

  test("to the other user of the pair is a way back", async () => {
    const secret = await database.createSecret();
    const value = await database.value(secret, "AWSCURRENT");
    const SecretString = JSON.stringify({ ...value, username: `${secret}_clone` });
    await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
    expect(await run(`rollback ${secret} --yes`)).toMatchObject({ code: 0 });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("from a value that cannot be read goes back to one that logs in, and sets no password", async () => {
    const secret = await overwritten("never-shown");
    await database.setPassword(secret, "somebody-elses");
    const refused = await run(`rollback ${secret} --restore-password --admin-secret boss --yes`);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/nobody can say whether it is of the same user\. .*quarterturn recover/),
    });
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    const ran = await run(`rollback ${secret} --yes`);
    expect(ran.code).toBe(0);
    expect(ran.stderr + refused.stderr).not.toContain("never-shown");
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  describe.each(["", " --debug"])("no password is shown%s", (debug) => {
    test("that a driver's error quotes", async () => {
      const secret = await rotated();
      // The server names a database that it does not have.
      const boss = await database.value("boss", "AWSCURRENT");
      const SecretString = JSON.stringify({ ...boss, dbname: boss.password });
      await database.service.sm.createSecret({ Name: `${secret}-admin`, SecretString });
      const ran = await run(`rollback ${secret} --restore-password --admin-secret ${secret}-admin --yes${debug}`);
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(/^quarterturn: .*database "\[redacted\]" does not exist/m);
      expect(/^error: database "\[redacted\]" does not exist/m.test(ran.stderr)).toBe(debug !== "");
      expect(ran.stderr).not.toContain(boss.password);
    });

    test("that an error of the service quotes", async () => {
      const secret = await rotated();
      const { password } = await database.value(secret, "AWSPREVIOUS");
      let described = 0;
      await using aws = await startImitatedAws(database.service.local.url, "none", async (operation) =>
        operation === "DescribeSecret" && ++described > 1
          ? { __type: "InvalidRequestException", message: `not with ${password}` }
          : undefined,
      );
      await database.setPassword(secret, password);
      const ran = await quarterturnAt(aws)(`rollback ${secret} --yes${debug}`);
      expect(ran.code).toBe(4);
      expect(ran.stderr).toMatch(/^quarterturn: .*not with \[redacted\]/m);
      expect(/^InvalidRequestException: not with \[redacted\]/m.test(ran.stderr)).toBe(debug !== "");
      expect(ran.stderr).not.toContain(password);
    });
  });

  describe("--restore-password, once the password is about to be set", () => {
    const line = (secret: string) => `rollback ${secret} --restore-password --admin-secret boss --yes`;

    test("Ctrl-C does not leave the application locked out", async () => {
      const secret = await rotated();
      const previous = await database.version(secret, "AWSPREVIOUS");
      const interruption = new AbortController();
      await using aws = await withAws(async () => interruption.abort());
      expect(await quarterturnAt(aws)(line(secret), { signal: interruption.signal })).toMatchObject({ code: 0 });
      expect(await database.version(secret, "AWSCURRENT")).toBe(previous);
      expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    });

    test("nor does any signal while the password is being set, and afterwards each is as it was", async () => {
      const secret = await rotated();
      const listened = () => ["SIGINT", "SIGTERM", "SIGHUP"].map((name) => process.listenerCount(name));
      const before = listened();
      const { superuser } = database;
      const during: (number[] | Promise<number[]>)[] = [];
      const untilBlocked = async () => {
        const blocked = "SELECT FROM pg_locks WHERE NOT granted";
        await vi.waitUntil(async () => (await superuser.query(blocked)).rowCount === 1, { timeout: 20_000 });
        const counts = listened();
        await superuser.query("COMMIT");
        return counts;
      };
      await using aws = await withAws(async () => {
        await superuser.query(`BEGIN; SELECT FROM pg_authid WHERE rolname = '${secret}' FOR UPDATE`);
        during.push(listened(), untilBlocked());
      });
      expect(await quarterturnAt(aws)(line(secret))).toMatchObject({ code: 0 });
      const once = before.map((count) => count + 1);
      expect(await Promise.all(during)).toEqual([once, once]);
      expect(listened()).toEqual(before);
    });

    test("a label that somebody else moves: the line says that the password was set, and the command that ends it", async () => {
      const secret = await rotated();
      const [older, previous] = [
        await database.version(secret, "AWSPREVIOUS"),
        await database.version(secret, "AWSCURRENT"),
      ];
      await database.rotate(secret);
      await using aws = await withAws(() => database.promote(secret, older));
      const ran = await quarterturnAt(aws)(line(secret));
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(
        new RegExp(
          `is on version ${older} by now, and was left so\\. AWSPENDING was taken off version \\S+\\. The password of "${secret}" was set to that of version ${previous}, which may not be AWSCURRENT yet\\. Make it so: quarterturn stage ${secret} AWSCURRENT ${previous} .*quarterturn recover`,
        ),
      );
      const [, command = ""] = /quarterturn (stage .*?) --endpoint-url/.exec(ran.stderr) ?? [];
      expect(await run(`${command} --yes`)).toMatchObject({ code: 0 });
      expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    });

    test("an admin's connection that breaks: the line says that AWSPENDING was taken off, and no password set", async () => {
      const secret = await rotated();
      await using aws = await withAws(() =>
        database.superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'boss'"),
      );
      const ran = await quarterturnAt(aws)(line(secret));
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(/^quarterturn: .*; no password was set\. AWSPENDING was taken off version/m);
      expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    });

    test("an answer that is lost, and a login that cannot be tried: the line says that nobody knows", async () => {
      const secret = await rotated();
      await using aws = await withAws(async () => {
        await database.superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'boss'");
        await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
        await database.superuser.query(`ALTER ROLE ${secret} NOLOGIN`);
      });
      const ran = await quarterturnAt(aws)(line(secret));
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(
        /^quarterturn: .*, and nobody can say whether the password of "\w+" was set to that of version \S+, which could not be tried: .*\. AWSPENDING was taken off version \S+\. .*quarterturn recover/m,
      );
      expect(ran.stderr).not.toContain("no password was set");
    });

    test("a statement that gets no answer is no matter of where this runs", async () => {
      const secret = await rotated();
      const { superuser } = database;
      await superuser.query(`BEGIN; SELECT FROM pg_authid WHERE rolname = '${secret}' FOR UPDATE`);
      onTestFinished(async () => void (await superuser.query("ROLLBACK")));
      const running = run(line(secret));
      // As the server itself does when the time is up.
      const cancel = "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted";
      await vi.waitUntil(async () => (await superuser.query(cancel)).rowCount === 1, { timeout: 20_000 });
      const ran = await running;
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(/setting the password.*; no password was set\. AWSPENDING was taken off version/);
      expect(ran.stderr).toMatch(/\. The server was reached: .* then run the same command again\.$/m);
    });

    test("a login that is not accepted afterwards: the line says that the password was set", async () => {
      const secret = await rotated();
      await using aws = await withAws(() => database.superuser.query(`ALTER ROLE ${secret} VALID UNTIL '2001-01-01'`));
      const ran = await quarterturnAt(aws)(line(secret));
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(
        /^quarterturn: The password of "\w+" was set to that of version \S+, which is refused.*\. AWSPENDING was taken off version \S+\. .*quarterturn recover/m,
      );
    });
  });
});
