import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { pipeline } from "node:stream";
import { rotationHandler } from "@quarterturn/core";
import { databaseSettings, singleUser } from "@quarterturn/database";
import { manifest, mysql } from "@quarterturn/rds-mysql";
import { createTrustedCa, type MysqlServer, startMariadb, startMysql } from "@quarterturn-tools/engines";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { startImitatedLambda } from "./imitated-lambda.ts";
import { type Service, startService } from "./secrets-manager.ts";

const ca = await createTrustedCa();

const certificate = await ca.issue({ hosts: ["localhost"] });

let server: MysqlServer;
let service: Service;
let asRoot: (statement: string) => Promise<readonly { readonly id?: number }[]>;
let users = 0;

beforeAll(async () => {
  server = await startMysql({ certificate });
  const root = await server.connect();
  asRoot = async (statement) => (await root.query(statement))[0] as { id?: number }[];
  let handler: ReturnType<typeof rotationHandler> | undefined;
  service = await startService({
    functions: { rotates: async (event, context) => handler?.(event, context) },
    rotationRetry: { attempts: 0, delayMs: 0 },
  });
  const env = { SECRETS_MANAGER_ENDPOINT: service.local.url, LOG_LEVEL: "ERROR" };
  handler = rotationHandler((settings) => singleUser(mysql(settings), databaseSettings(settings, manifest)), env);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await server.close();
});

const run = (line: string, surroundings?: Parameters<ReturnType<typeof quarterturnAt>>[1]) =>
  quarterturnAt(service.local)(line, surroundings);

interface Value {
  readonly username: string;
  readonly password: string;
}

const keys = () => ({ engine: "mysql", host: server.host, port: server.port });

/** A secret whose user has two passwords, AWSPREVIOUS's and AWSCURRENT's, since it was rotated. */
async function rotated(): Promise<string> {
  const name = `app${++users}`;
  const password = randomBytes(12).toString("hex");
  await asRoot(`CREATE USER ${name} IDENTIFIED BY '${password}'`);
  await asRoot(`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${name}`);
  await service.sm.createSecret({ Name: name, SecretString: JSON.stringify({ ...keys(), username: name, password }) });
  await service.sm.rotateSecret({ SecretId: name, RotationLambdaARN: "rotates" });
  await service.local.settled(name);
  return name;
}

async function value(secret: string, VersionStage: string): Promise<Value> {
  const { SecretString = "" } = await service.sm.getSecretValue({ SecretId: secret, VersionStage });
  return JSON.parse(SecretString);
}

/** Logs in afresh with each. */
const accepted = (...values: readonly Value[]) =>
  Promise.all(
    values.map(async ({ username: user, password }) => {
      try {
        await (await server.connect({ user, password })).end();
        return true;
      } catch (error) {
        if ((error as { errno?: number }).errno === 1045) return false;
        throw error;
      }
    }),
  );

test("ends AWSPREVIOUS's password and no other, and shows it; it may be run again", async () => {
  const secret = await rotated();
  const [previous, current] = [await value(secret, "AWSPREVIOUS"), await value(secret, "AWSCURRENT")];
  expect(await accepted(previous, current)).toEqual([true, true]);
  const ran = await run(`discard-old ${secret} --yes`);
  expect(ran.code).toBe(0);
  expect(steady(ran)).toMatchInlineSnapshot(`
    "The old password was discarded. AWSCURRENT of SECRET logs in; AWSPREVIOUS is refused at DATABASE (as "SECRET").
    ---
    AWSCURRENT logs in at DATABASE (as "SECRET")
    AWSPREVIOUS logs in at DATABASE (as "SECRET")
    Every other password of "SECRET" than AWSCURRENT's ends at DATABASE: new logins with it are refused, open sessions stay
    "
  `);
  expect(await accepted(previous, current)).toEqual([false, true]);
  for (const { password } of [previous, current]) expect(ran.stdout + ran.stderr).not.toContain(password);
  const again = await run(`discard-old ${secret} --yes --json`);
  expect(JSON.parse(again.stdout)).toMatchObject({ name: secret, username: secret, previous: "refused" });
});

test("after a rollback AWSCURRENT's password stays, although it is the older one, and rotation goes on", async () => {
  const secret = await rotated();
  expect(await run(`rollback ${secret} --yes`)).toMatchObject({ code: 0 });
  const [previous, current] = [await value(secret, "AWSPREVIOUS"), await value(secret, "AWSCURRENT")];
  expect(await run(`discard-old ${secret} --yes`)).toMatchObject({ code: 0 });
  expect(await accepted(previous, current)).toEqual([false, true]);
  await service.sm.rotateSecret({ SecretId: secret });
  await service.local.settled(secret);
  expect(await accepted(current, await value(secret, "AWSCURRENT"))).toEqual([true, true]);
});

/** Does something when the secret has been described so many times, before the command has the answer. */
async function withAws(times: number, act: () => Promise<unknown>) {
  let described = 0;
  const aws = await startImitatedLambda(service.local.url, service.local.functionArn);
  aws.onAnswer = async (operation, answer) => {
    if (operation === "DescribeSecret" && ++described === times) await act();
    return answer;
  };
  return aws;
}

test("describes the secret again when it has logged in, so that nothing but the statement is left to be done", async () => {
  const secret = await rotated();
  let sessions: unknown;
  await using aws = await withAws(2, async () => {
    sessions = await asRoot(`SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = '${secret}'`);
  });
  expect(await quarterturnAt(aws)(`discard-old ${secret} --yes`)).toMatchObject({ code: 0 });
  expect(sessions).toHaveLength(1);
});

test("where the secret is rotated all the same in between, does not say that it is well, and names recover", async () => {
  const secret = await rotated();
  await using aws = await withAws(2, async () => {
    await service.sm.rotateSecret({ SecretId: secret });
    await service.local.settled(secret);
  });
  expect(await quarterturnAt(aws)(`discard-old ${secret} --yes`)).toMatchObject({
    code: 3,
    stdout: "",
    stderr: expect.stringMatching(
      /^quarterturn: AWSCURRENT of "\w+" may not log in: the secret was changed meanwhile\. The old password was discarded\. .*recover app/m,
    ),
  });
  expect(await accepted(await value(secret, "AWSCURRENT"))).toEqual([false]);
  expect(await run(`recover ${secret} --yes`)).toMatchObject({ code: 0 });
});

/** A way to the server on which something happens before the first login that comes after the old password was discarded. */
async function startProxy(old: Value, act: () => Promise<unknown>) {
  let isDone = false;
  const proxy = createServer(async (socket) => {
    const [isKept] = isDone ? [true] : await accepted(old);
    if (!isKept) {
      isDone = true;
      await act();
    }
    const onward = connect(server.port, server.host);
    // Either end may hang up as it likes.
    pipeline(socket, onward, socket, () => undefined);
  }).listen(0, "localhost");
  await once(proxy, "listening");
  onTestFinished(() => void proxy.close());
  return proxy.address() as AddressInfo;
}

test.each([
  [
    "AWSPREVIOUS logs in afterwards: says so, and to run it again",
    ({ password }: Value) => [`IDENTIFIED BY '${password}' RETAIN CURRENT PASSWORD`],
    /The old password .* was discarded, and all the same AWSPREVIOUS logs in at .*Run it again: quarterturn discard-old/,
  ],
  [
    "AWSCURRENT does not log in afterwards: says so, and names recover",
    () => ["IDENTIFIED BY 'somebody-elses'", "DISCARD OLD PASSWORD"],
    /The old password .* was discarded, and AWSCURRENT is refused at .*quarterturn recover/,
  ],
])("where %s", async (_, changes, words) => {
  const secret = await rotated();
  const [previous, current] = [await value(secret, "AWSPREVIOUS"), await value(secret, "AWSCURRENT")];
  const { port } = await startProxy(previous, async () => {
    for (const change of changes(previous)) await asRoot(`ALTER USER ${secret} ${change}`);
  });
  const Name = `${secret}-by-proxy`;
  await service.sm.createSecret({ Name, SecretString: JSON.stringify({ ...previous, port }) });
  await service.sm.putSecretValue({ SecretId: Name, SecretString: JSON.stringify({ ...current, port }) });
  const ran = await run(`discard-old ${Name} --yes`);
  expect(ran).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(words) });
});

test("where the server is lost in between, says that nobody knows, and may be run again", async () => {
  const secret = await rotated();
  const [previous, current] = [await value(secret, "AWSPREVIOUS"), await value(secret, "AWSCURRENT")];
  await asRoot("FLUSH TABLES WITH READ LOCK");
  const running = run(`discard-old ${secret} --yes`);
  let waiting: { readonly id?: number } | undefined;
  await expect
    .poll(
      async () => {
        const processes = `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = '${secret}' AND INFO LIKE 'ALTER USER%'`;
        [waiting] = await asRoot(processes);
        return waiting;
      },
      { interval: 20, timeout: 20_000 },
    )
    .toBeDefined();
  await asRoot(`KILL ${waiting?.id}`);
  const ran = await running;
  await asRoot("UNLOCK TABLES");
  expect(ran).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(
      /^quarterturn: Whether the old password of .* is not known\. .*Run it again: quarterturn/m,
    ),
  });
  expect(await run(`discard-old ${secret} --yes`)).toMatchObject({ code: 0 });
  expect(await accepted(previous, current)).toEqual([false, true]);
});

test("where no version is AWSPREVIOUS, it says that none is known", async () => {
  const secret = await rotated();
  const { SecretString } = await service.sm.getSecretValue({ SecretId: secret });
  const old = await value(secret, "AWSPREVIOUS");
  await service.sm.createSecret({ Name: `${secret}-copy`, SecretString });
  const ran = await run(`discard-old ${secret}-copy --yes`);
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining("No version is AWSPREVIOUS") });
  expect(await accepted(old)).toEqual([false]);
});

describe("nothing is discarded", () => {
  async function expectRefused(secret: string, words: RegExp, old = value(secret, "AWSPREVIOUS")): Promise<void> {
    const kept = await old;
    const ran = await run(`discard-old ${secret} --yes`);
    expect(ran).toMatchObject({ code: 3, stdout: "" });
    expect(ran.stderr).toMatch(words);
    expect(await accepted(kept)).toEqual([true]);
  }

  test("without a yes", async () => {
    const secret = await rotated();
    expect(await run(`discard-old ${secret}`)).toMatchObject({ code: 2 });
    expect(await run(`discard-old ${secret}`, { key: "n" })).toMatchObject({ code: 3 });
    expect(await accepted(await value(secret, "AWSPREVIOUS"))).toEqual([true]);
  });

  test("where AWSCURRENT does not log in", async () => {
    const secret = await rotated();
    const SecretString = JSON.stringify({ ...keys(), username: secret, password: "wrong" });
    await service.sm.putSecretValue({ SecretId: secret, SecretString });
    await expectRefused(secret, /AWSCURRENT's must work first: it is refused at localhost.*quarterturn recover app/);
  });

  test("where the server is not reached", async () => {
    const value = { ...keys(), port: 1, username: "app", password: "a-password" };
    await service.sm.createSecret({ Name: "unreached", SecretString: JSON.stringify(value) });
    expect(await run("discard-old unreached --yes")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^quarterturn: .* AWSCURRENT's must work first: it could not be tried: .*ECONNREFUSED/,
      ),
    });
  });

  test("while a rotation is not finished", async () => {
    const secret = await rotated();
    const SecretString = JSON.stringify({ ...keys(), username: secret, password: "pending" });
    await service.sm.putSecretValue({ SecretId: secret, SecretString, VersionStages: ["AWSPENDING"] });
    await expectRefused(secret, /a rotation to version \S+ is not finished.*--clear-pending/);
  });

  test("where somebody moves a label while the question stands there", async () => {
    const secret = await rotated();
    const old = await value(secret, "AWSPREVIOUS");
    await using aws = await withAws(1, async () => {
      const SecretString = JSON.stringify({ ...keys(), username: secret, password: "stored by hand" });
      await service.sm.putSecretValue({ SecretId: secret, SecretString, VersionStages: ["MINE"] });
    });
    const ran = await quarterturnAt(aws)(`discard-old ${secret} --yes`);
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("the secret was changed meanwhile") });
    expect(await accepted(old)).toEqual([true]);
  });

  test("where two users alternate, or both versions hold one password", async () => {
    const secret = await rotated();
    const old = value(secret, "AWSPREVIOUS");
    const { password } = await value(secret, "AWSCURRENT");
    const store = (keysOfVersion: object) =>
      service.sm.putSecretValue({ SecretId: secret, SecretString: JSON.stringify({ ...keys(), ...keysOfVersion }) });
    await store({ username: `${secret}_clone`, password: "of-the-clone" });
    await store({ username: secret, password });
    await expectRefused(secret, /AWSPREVIOUS is of another user, "app\d+_clone", .*quarterturn rotate/, old);
    await store({ username: secret, password, note: "only this is new" });
    await expectRefused(secret, /AWSPREVIOUS holds the same one as AWSCURRENT\. Rotate, then run this again/, old);
  });

  test("by a user that may not: the admin's statement is told", async () => {
    const secret = await rotated();
    await asRoot(`REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM ${secret}`);
    await expectRefused(secret, /^quarterturn: .*GRANT APPLICATION_PASSWORD_ADMIN ON \*\.\* TO `app\d+`@`%`;/m);
  });

  test("on MariaDB, where a user has one password although the engine is of the same package", async () => {
    await using mariadb = await startMariadb({ certificate });
    const root = await mariadb.connect();
    await root.query("CREATE USER only IDENTIFIED BY 'only-password'");
    const { host, port } = mariadb;
    const only = { engine: "mariadb", host, port, username: "only", password: "only-password" };
    await service.sm.createSecret({ Name: "only", SecretString: JSON.stringify(only) });
    expect(await run("discard-old only --yes")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^quarterturn: There is no old password to discard: .* keeps one password for a user/,
      ),
    });
  });

  test("of an engine in which a user has one password, which need not be reached for that", async () => {
    const SecretString = JSON.stringify({ engine: "postgres", host: "db.example", username: "app", password: "p" });
    await service.sm.createSecret({ Name: "elsewhere", SecretString });
    const { code, stderr } = await run("discard-old elsewhere --yes");
    expect(code).toBe(3);
    expect(stderr).toBe(
      "quarterturn: There is no old password to discard: db.example:5432 keeps one password for a user, and a rotation ends the one before.\n",
    );
  });
});

test("does what the README says that it must be allowed, and nothing else", async () => {
  const secret = await rotated();
  const called = new Set<string>();
  onTestFinished(
    service.local.onEvent((event) => {
      if (event.kind === "api-call") called.add(`secretsmanager:${event.name}`);
    }),
  );
  expect(await run(`discard-old ${secret} --yes`)).toMatchObject({ code: 0 });
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(`| \`discard-old\` | ${[...called].sort().join(", ")} |\n`);
});
