import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contextOf, type Fixture, single, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ settings: { "general-log": "ON" } });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const set = (
  current: DatabaseSecret,
  pending: DatabaseSecret,
  previous?: DatabaseSecret,
  context = contextOf(fixture),
) => single().set({ current, pending, previous: async () => previous }, context);
/** A user that may keep two passwords. */
async function dualUser(name?: string, password?: string): Promise<DatabaseSecret> {
  const secret = await fixture.createUser(name, password);
  await fixture.asRoot(`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${quoted(secret.username)}`);
  return secret;
}
const quoted = (user: string) => `\`${user.replaceAll("`", "``")}\``;

describe("two passwords of a user that may keep them", () => {
  test("both are valid after setSecret, and again after it was called again", async () => {
    const current = await dualUser();
    const pending = await successor(current);
    for (let time = 1; time <= 3; time++) {
      expect(await set(current, pending)).toBe("valid");
      expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([true, true]);
    }
  });

  test("an abandoned rotation: AWSCURRENT has the secondary password, which stays, and the primary one is replaced", async () => {
    const current = await dualUser();
    const abandoned = await successor(current);
    await set(current, abandoned);
    const pending = await successor(current);
    expect(await set(current, pending)).toBe("valid");
    expect(await set(current, pending)).toBe("valid");
    const accepted = [current, abandoned, pending].map((secret) => fixture.accepts(secret));
    expect(await Promise.all(accepted)).toEqual([true, false, true]);
  });

  test("a rotation that was rolled back: the next one starts from the secondary password", async () => {
    const first = await dualUser();
    const second = await successor(first);
    await set(first, second);
    // AWSCURRENT is moved back to the first, AWSPREVIOUS to the second.
    const third = await successor(first);
    expect(await set(first, third, second)).toBe("valid");
    expect([await fixture.accepts(first), await fixture.accepts(third)]).toEqual([true, true]);
  });

  test("AWSCURRENT refused and AWSPREVIOUS accepted: goes on from there", async () => {
    const older = await dualUser();
    const current = { ...older, password: "never-set" };
    const pending = await successor(current);
    expect(await set(current, pending, older)).toBe("refused");
    expect(await fixture.accepts(pending)).toBe(true);
  });

  test("PASSWORD REQUIRE CURRENT and AWSCURRENT's the secondary one: the error has the admin's statement (error 3892)", async () => {
    const current = await dualUser();
    await set(current, await successor(current));
    await fixture.asRoot(`ALTER USER ${current.username} PASSWORD REQUIRE CURRENT`);
    const pending = await successor(current);
    await expect(set(current, pending)).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringContaining(`ALTER USER \`${current.username}\`@\`%\` PASSWORD REQUIRE CURRENT OPTIONAL;`),
    });
    expect(await fixture.accepts(current)).toBe(true);
    await fixture.asRoot(`ALTER USER ${current.username} PASSWORD REQUIRE CURRENT OPTIONAL`);
    expect(await set(current, pending)).toBe("valid");
  });

  test("PASSWORD REQUIRE CURRENT in the normal case is no obstacle", async () => {
    const current = await dualUser();
    await fixture.asRoot(`ALTER USER ${current.username} PASSWORD REQUIRE CURRENT PASSWORD HISTORY 5`);
    const pending = await successor(current);
    for (let time = 1; time <= 2; time++) expect(await set(current, pending)).toBe("valid");
  });

  test("a user without the right: the password is changed, the log has the GRANT (error 1227), and a retry is done", async () => {
    const current = await fixture.createUser();
    const pending = await successor(current);
    const context = contextOf(fixture);
    expect(await set(current, pending, undefined, context)).toBe("refused");
    expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([false, true]);
    expect(context.lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        level: "WARN",
        statement: `GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO \`${current.username}\`@\`%\`;`,
      }),
    );
    expect(await set(current, pending)).toBe("refused");
  });

  test("the right was taken away after a rotation was abandoned: AWSCURRENT's password stays valid all the same", async () => {
    const current = await dualUser();
    await set(current, await successor(current));
    await fixture.asRoot(`REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM ${current.username}`);
    const pending = await successor(current);
    expect(await set(current, pending)).toBe("valid");
    expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([true, true]);
  });

  test("three of the same setSecret at once, several times: both passwords are valid", async () => {
    for (let round = 0; round < 5; round++) {
      const current = await dualUser();
      const pending = await successor(current);
      await Promise.all([set(current, pending), set(current, pending), set(current, pending)]);
      expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([true, true]);
    }
  });
});

describe("OLD_PASSWORD", () => {
  test("keep, which is the default, retires nothing", () => {
    expect(single().retire).toBeUndefined();
    expect(single({ OLD_PASSWORD: "keep" }).retire).toBeUndefined();
  });

  test("discard ends the old password after AWSCURRENT has moved, and may be called again", async () => {
    const previous = await dualUser();
    const current = await successor(previous);
    await set(previous, current);
    for (let time = 1; time <= 2; time++) {
      await single({ OLD_PASSWORD: "discard" }).retire?.({ current, previous }, contextOf(fixture));
      expect([await fixture.accepts(previous), await fixture.accepts(current)]).toEqual([false, true]);
    }
  });

  test("discard that comes late, when a next rotation has made AWSCURRENT's the secondary password, does not end it", async () => {
    const previous = await dualUser();
    const current = await successor(previous);
    await set(previous, current);
    const pending = await successor(current);
    await set(current, pending);
    const late = single({ OLD_PASSWORD: "discard" }).retire?.({ current, previous }, contextOf(fixture));
    await expect(late).rejects.toMatchObject({ code: "database" });
    expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([true, true]);
  });

  test("discard for a user that keeps no two passwords is done", async () => {
    const previous = await fixture.createUser();
    const current = await successor(previous);
    await set(previous, current);
    await single({ OLD_PASSWORD: "discard" }).retire?.({ current, previous }, contextOf(fixture));
    expect(await fixture.accepts(current)).toBe(true);
  });

  test("another value is an error", () => {
    expect(() => single({ OLD_PASSWORD: "maybe" })).toThrow(/OLD_PASSWORD must be one of keep, discard/);
  });
});

describe("the account that logs in is the one that is changed", () => {
  test("of several accounts of one name, the others are left alone", async () => {
    const current = await fixture.createUser("several", "local-password", "localhost");
    await fixture.createUser("several", "remote-password", "10.%");
    const hash = () =>
      fixture.asRoot("SELECT authentication_string FROM mysql.user WHERE User = 'several' AND Host = '10.%'");
    const before = await hash();
    const pending = await successor(current);
    const context = contextOf(fixture);
    await set(current, pending, undefined, context);
    expect(await fixture.accepts(pending)).toBe(true);
    expect(await hash()).toEqual(before);
    expect(context.lines.join()).toContain('"account":"`several`@`localhost`"');
  });

  test("a login that is the anonymous user's session is refused, and nothing is changed", async () => {
    await fixture.asRoot("CREATE USER ''@'localhost' IDENTIFIED BY 'anybody'");
    try {
      const current = { ...(await fixture.createUser("ghost", "other", "10.%")), password: "anybody" };
      await expect(set(current, await successor(current))).rejects.toMatchObject({
        code: "wrong-target",
        message: expect.stringContaining("is a session of ``@`localhost`"),
      });
      expect(await fixture.accepts(current)).toBe(true);
    } finally {
      await fixture.asRoot("DROP USER ''@'localhost'");
    }
  });

  test.each(["'", '"', "\\", "`", "pass'word\"with\\all", "naïve ☃", "? :a $1 %s", "a@b"])(
    "a name and a password of %j are data",
    async (hostile) => {
      const current = await dualUser(`u${hostile}`, `p${hostile}`);
      const pending = { ...current, password: `q${hostile}` };
      await set(current, pending);
      expect([await fixture.accepts(current), await fixture.accepts(pending)]).toEqual([true, true]);
    },
  );

  test("a server whose sql_mode reads quotes and backslashes otherwise does not make a password syntax", async () => {
    const [row] = await fixture.asRoot("SELECT @@GLOBAL.sql_mode AS mode");
    await fixture.asRoot("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    try {
      const current = await dualUser();
      const pending = { ...current, password: "back\\' ; DROP USER boss; -- \"" };
      await set(current, pending);
      expect(await fixture.accepts(pending)).toBe(true);
    } finally {
      await fixture.asRoot(`SET GLOBAL sql_mode = '${row?.mode}'`);
    }
  });
});

test("REQUIRE and the account's other terms are kept", async () => {
  const current = await dualUser();
  await fixture.asRoot(`ALTER USER ${current.username} REQUIRE SSL WITH MAX_USER_CONNECTIONS 9`);
  await set(current, await successor(current));
  const terms = await fixture.asRoot(
    `SELECT ssl_type, max_user_connections FROM mysql.user WHERE User = '${current.username}'`,
  );
  expect(terms).toEqual([{ ssl_type: "ANY", max_user_connections: 9 }]);
});

test("the general log holds no password: the server itself writes <secret>", async () => {
  const current = await dualUser("logged", "old-password-4711");
  const pending = { ...current, password: "new-password-0815" };
  await set(current, pending);
  await single({ OLD_PASSWORD: "discard" }).retire?.({ current: pending, previous: current }, contextOf(fixture));
  const log = await readFile(fixture.server.logFile, "utf8");
  expect(log).toMatch(/ALTER USER .*<secret>.* RETAIN CURRENT PASSWORD/);
  const statements = log.split("\n").filter((line) => !line.includes("CREATE USER"));
  expect(statements.filter((line) => /new-password-0815|old-password-4711/.test(line))).toEqual([]);
});

test.each([
  ["that the user may not use", ["CREATE DATABASE `no``where`"], "privilege", 1044],
  ["that does not exist", ["DROP DATABASE IF EXISTS `no``where`", "GRANT SELECT ON *.* TO USER"], "bad-secret", 1049],
] as const)(
  "a database %s, so that testSecret would fail: the password is not changed before",
  async (_, statements, code, number) => {
    const current = { ...(await fixture.createUser()), dbname: "no`where" };
    await fixture.asRoot(...statements.map((each) => each.replace("USER", quoted(current.username))));
    await expect(set(current, await successor(current))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(`no\`where.*error ${number}.*correct dbname in the secret`),
    });
    expect(await fixture.accepts(current)).toBe(true);
  },
);

test("replicas are told of the new password, whatever the filters say of the secret's database", async () => {
  await using filtered = await startFixture({ settings: { "log-bin": "changes", "binlog-ignore-db": "shop" } });
  await filtered.asRoot("CREATE DATABASE shop");
  const current = { ...(await filtered.createUser()), dbname: "shop" };
  await filtered.asRoot(`GRANT SELECT ON shop.* TO ${quoted(current.username)}`);
  await single().set(
    { current, pending: await successor(current), previous: async () => undefined },
    contextOf(filtered),
  );
  const events = await filtered.asRoot("SHOW BINLOG EVENTS");
  expect(events.map(({ Info }) => Info)).toContainEqual(expect.stringMatching(`ALTER USER.*${current.username}`));
});

test("a server or proxy that answers the end of a connection by a reset stops nothing", async () => {
  const current = { ...(await fixture.createUser()), ssl: false };
  const pending = await successor(current);
  const quit = Buffer.from([1, 0, 0, 0, 1]);
  const proxy = createServer((client) => {
    const server = connect(fixture.server.port, "127.0.0.1");
    server.pipe(client);
    client.on("data", (bytes) => (bytes.equals(quit) ? client.resetAndDestroy() : server.write(bytes)));
    client.on("close", () => server.destroy());
    for (const socket of [client, server]) socket.on("error", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  expect(await set({ ...current, port }, { ...pending, port })).toBe("refused");
  await single().test({ ...pending, port }, contextOf(fixture));
  proxy.close();
});

test("a locked account is told as that, and not as a wrong password", async () => {
  const current = await fixture.createUser();
  await fixture.asRoot(`ALTER USER ${current.username} ACCOUNT LOCK`);
  await expect(set(current, await successor(current))).rejects.toMatchObject({
    code: "privilege",
    message: expect.stringMatching(/Account is locked.*an admin unlocks it/),
  });
});

test("a password that the server's policy refuses is told with the settings that help", async () => {
  const current = await dualUser();
  await fixture.asRoot("INSTALL COMPONENT 'file://component_validate_password'");
  try {
    await expect(set(current, { ...current, password: "abc" })).rejects.toMatchObject({
      code: "database",
      message: expect.stringMatching(/password policy.*PASSWORD_LENGTH/),
    });
  } finally {
    await fixture.asRoot("UNINSTALL COMPONENT 'file://component_validate_password'");
  }
});
