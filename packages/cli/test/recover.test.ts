import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  test("where AWSCURRENT logs in says that, and how rotation, which is off, is turned on again", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret);
    const on = await run(`recover ${secret}`);
    expect(on.stdout).toMatch(/^AWSCURRENT of \w+ logs in, so nothing was changed\. .*anew\?\n$/);
    await database.service.sm.cancelRotateSecret({ SecretId: secret });
    const off = await run(`recover ${secret}`);
    expect(off.stdout).toMatch(
      /\nIts rotation is off\. To turn it on again: quarterturn rotate \w+ --wait --endpoint-url \S+\n$/,
    );
  });

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
      1 more without a label: not needed
      AWSCURRENT moves to version VERSION-1 from VERSION-2
      "
    `);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    await database.rotate(secret);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("says that rotation is off, where somebody has turned it off", async () => {
    const secret = await overwritten();
    await database.service.sm.cancelRotateSecret({ SecretId: secret });
    const { stdout } = await run(`recover ${secret} --yes`);
    expect(stdout).toContain(`\nIts rotation is off. To turn it on again: quarterturn rotate ${secret} --wait`);
  });

  test("asks before it moves a label", async () => {
    const secret = await overwritten();
    expect(await run(`recover ${secret}`)).toMatchObject({ code: 2, stdout: "" });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(false);
  });

  test("of a rotation that stopped after the password was changed promotes the pending version, and rotations go on", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret, "stops-at-testSecret");
    await database.service.sm.cancelRotateSecret({ SecretId: secret });
    const [from, to] = [await database.version(secret, "AWSCURRENT"), await database.version(secret, "AWSPENDING")];
    const { code, stdout } = await run(`recover ${secret} --yes --json`);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, changes: [{ label: "AWSCURRENT", from, to }] });
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
      stderr: expect.stringContaining("nobody is known who could set the password of"),
    });

    const ran = await run(`recover ${secret} --yes --admin-secret boss`);
    expect(ran.code).toBe(0);
    expect(timeless(steady(ran))).toMatchInlineSnapshot(`
      "AWSCURRENT of SECRET logs in again.
      Its rotation is off. To turn it on again: quarterturn rotate SECRET --wait --endpoint-url http://HOST
      ---
      VERSION-1  AWSCURRENT, YYYY-MM-DD HH:MM UTC
        is refused at DATABASE (as "SECRET")
      VERSION-2  AWSPENDING, YYYY-MM-DD HH:MM UTC
        is refused at DATABASE (as "SECRET")
      AWSPENDING is taken off version VERSION-2
      The password of "SECRET" at DATABASE is set to that of AWSCURRENT: whoever uses another one is refused from then on
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

  /** A secret with a version for each of these changes of its value, the last of them AWSCURRENT. */
  async function overwrittenBy(...changes: readonly object[]): Promise<string> {
    const secret = await database.createSecret();
    const own = await database.value(secret, "AWSCURRENT");
    for (const keys of changes) {
      const SecretString = JSON.stringify({ ...own, ...keys });
      await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
    }
    return secret;
  }

  test("another user's or server's credentials are not tried, although they log in, and no password is set then", async () => {
    const other = await database.createSecret();
    const others = await database.value(other, "AWSCURRENT");
    const secret = await overwrittenBy(others, { port: 1 }, { password: "wrong" });
    await database.setPassword(secret, "somebody-elses");
    const { stdout, stderr, code } = await run(`recover ${secret} --yes --admin-secret boss`);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(new RegExp(`another user \\("${other}"\\): quarterturn stage ${secret} AWSCURRENT \\S{36}`));
    expect(stderr).toMatch(
      new RegExp(`another server \\(localhost:1\\): quarterturn stage ${secret} AWSCURRENT \\S{36}`),
    );
    expect(stderr).toContain("2 of its 4 versions are of another user or server than AWSCURRENT");
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(false);
  });

  test("where AWSCURRENT is another user's by mistake, that user's password is not set", async () => {
    const other = await database.createSecret();
    const secret = await overwrittenBy({ username: other });
    expect(await run(`recover ${secret} --yes --admin-secret boss`)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("1 of its 2 versions is of another user"),
    });
    expect(await database.accepts(other, "AWSCURRENT")).toBe(true);
  });

  test("the admin's own password is not set", async () => {
    const boss = await database.value("boss", "AWSCURRENT");
    const SecretString = JSON.stringify({ ...boss, password: "wrong" });
    await database.service.sm.createSecret({ Name: "own", SecretString });
    expect(await run("recover own --yes --admin-secret boss")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/"boss" is the admin of boss itself/),
    });
    expect(await database.accepts("boss", "AWSCURRENT")).toBe(true);
  });

  test("a version that differs in more than its password is tried, and one that logs in is better than one that could not be tried", async () => {
    const secret = await overwrittenBy({ dbname: "nowhere" });
    const previous = await database.version(secret, "AWSPREVIOUS");
    const ran = await run(`recover ${secret} --yes`);
    expect(ran.stderr).toMatch(/AWSCURRENT, .*\n {2}could not be tried: .*\n.*AWSPREVIOUS, .*\n {2}logs in/);
    expect(ran.stderr).toContain("\nAWSCURRENT may be the value that works: it could not be tried\n");
    expect(ran.code).toBe(0);
    expect(await database.version(secret, "AWSCURRENT")).toBe(previous);
  });

  test("where a version could not be tried no password is set: it may be the one that works", async () => {
    const secret = await database.createSecret({ dbname: "nowhere", masterarn: "boss" });
    const SecretString = JSON.stringify({ ...(await database.value(secret, "AWSCURRENT")), password: "wrong" });
    await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
    const { code, stderr } = await run(`recover ${secret} --yes`);
    expect(code).toBe(3);
    const [, reason = ""] = /^ {2}(could not be tried: .*nowhere.*)$/m.exec(stderr) ?? [];
    const previous = await database.version(secret, "AWSPREVIOUS");
    expect(stderr).toContain(
      `quarterturn: "${secret}" was left as it is, since not every version could be tried. Version ${previous} ${reason}.\n`,
    );
    expect(await database.accepts(secret, "AWSPREVIOUS")).toBe(true);
  });

  test("an AWSCURRENT that is binary is passed over, and the plan says that nobody has tried it", async () => {
    const secret = await database.createSecret();
    await database.service.sm.putSecretValue({ SecretId: secret, SecretBinary: new Uint8Array([1]) });
    const ran = await run(`recover ${secret} --yes`);
    expect(ran.stderr).toMatch(
      /is binary.*\n.*\n.*\nAWSCURRENT may be the value that works: it was not tried\nAWSCURRENT moves to/,
    );
    expect(ran.code).toBe(0);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test.each([
    ["is disabled", "DecryptionFailure", "The key is disabled."],
    ["may not be used from here", "AccessDeniedException", "Access to KMS is not allowed"],
  ])(
    "an AWSCURRENT whose key %s may be what works: it takes more than --yes to pass it over",
    async (_, __type, message) => {
      const secret = await database.createSecret();
      const { VersionId } = await database.service.sm.putSecretValue({ SecretId: secret, SecretString: "any" });
      await using aws = await startImitatedAws(database.service.local.url, "none", async (operation, input) =>
        operation === "GetSecretValue" && input.VersionId === VersionId ? { __type, message } : undefined,
      );
      const run = quarterturnAt(aws);
      const ran = await run(`recover ${secret} --yes`);
      expect(ran.stderr).toContain(`cannot be decrypted (${message.replace(/\.$/, "")})`);
      const previous = await database.version(secret, "AWSPREVIOUS");
      expect(ran.stderr).toMatch(
        new RegExp(
          `^quarterturn: AWSCURRENT of "${secret}" was not moved: .* it may be the value that works\\. .*stage ${secret} AWSCURRENT ${previous} `,
          "m",
        ),
      );
      expect(ran.code).toBe(3);
      expect(await database.version(secret, "AWSCURRENT")).toBe(VersionId);
      expect(await run(`recover ${secret}`)).toMatchObject({ code: 3 });
      expect(await run(`recover ${secret} --yes`, { key: "y" })).toMatchObject({ code: 3 });
      expect(await run(`recover ${secret}`, { key: "y" })).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("\nAWSCURRENT may be the value that works: it was not tried\n"),
      });
      expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    },
  );

  test("where AWSCURRENT's value is none of a database and no other logs in, says how to store one", async () => {
    const secret = await database.createSecret();
    await database.service.sm.putSecretValue({ SecretId: secret, SecretString: "never-shown" });
    await database.setPassword(secret, "somebody-elses");
    expect(await run(`recover ${secret} --yes --admin-secret boss`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /AWSCURRENT's value cannot be used\. .*aws secretsmanager put-secret-value --secret-id app\d+ --secret-string file:\/\/FILE /,
      ),
    });
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

  test("an admin secret that RDS manages is looked up in the Region, and with the profile, of the command line", async () => {
    const authorizations: unknown[] = [];
    const { port } = database.server;
    const rds = createServer((request, response) => {
      authorizations.push(request.headers.authorization);
      const endpoint = `<Engine>postgres</Engine><Endpoint><Address>localhost</Address><Port>${port}</Port></Endpoint>`;
      response.end(
        `<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>${endpoint}</DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>`,
      );
    }).listen(0, "127.0.0.1");
    await once(rds, "listening");
    const directory = await mkdtemp(join(tmpdir(), "profiles-"));
    const credentials = join(directory, "credentials");
    await writeFile(credentials, "[operator]\naws_access_key_id = OPERATOR\naws_secret_access_key = any\n");
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      rds.close();
      rds.closeAllConnections();
      await rm(directory, { recursive: true });
    });
    vi.stubEnv("AWS_ENDPOINT_URL_RDS", `http://127.0.0.1:${(rds.address() as AddressInfo).port}`);
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", credentials);
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"])
      vi.stubEnv(name, undefined);
    const { username, password } = await database.value("boss", "AWSCURRENT");
    const SecretString = JSON.stringify({ username, password });
    await database.service.sm.createSecret({ Name: "managed", SecretString });
    const Tags = [{ Key: "aws:rds:primaryDBInstanceArn", Value: "arn:aws:rds:eu-west-9:000000000000:db:shop" }];
    await using aws = await startImitatedAws(database.service.local.url, "none", async (operation, { SecretId }) =>
      operation === "DescribeSecret" && SecretId === "managed" ? { Name: SecretId, Tags } : undefined,
    );
    const secret = await database.createSecret({ masterarn: "managed" });
    await database.setPassword(secret, "somebody-elses");
    const ran = await quarterturnAt(aws)(`recover ${secret} --yes --region eu-west-9 --profile operator`, {
      env: process.env,
    });
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining("logs in again") });
    expect(authorizations).toEqual([expect.stringMatching(/Credential=OPERATOR\/\d+\/eu-west-9\/rds\//)]);
  });
});
