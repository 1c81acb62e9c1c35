/** What an account is besides its rights, and a name that is several accounts. */
import type { DatabaseSecret } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountName } from "../src/sql.ts";
import { alternate, contextOf, type Fixture, multi, single, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.asRoot("CREATE DATABASE shop", "CREATE TABLE shop.item (id int)");
});
afterAll(() => fixture[Symbol.asyncDispose]());

const on = (user: string, host = "%") => accountName({ user, host });
/** All that SHOW CREATE USER says, without the account's name, its password and a twin's mark. */
async function described(user: string, host = "%"): Promise<string> {
  await fixture.asRoot("SET SESSION print_identified_with_as_hex = 1");
  const [row] = await fixture.asRoot(`SHOW CREATE USER ${on(user, host)}`);
  return String(Object.values(row ?? {})[0])
    .replace(on(user, host), "ACCOUNT")
    .replace(/ AS (0x[0-9A-F]+|'(?:[^'\\]|\\.|'')*')/, "")
    .replace(/ DEFAULT ROLE \S+/, "")
    .replace(/,? ?"quarterturn": {.*?}/, "")
    .replace(" ATTRIBUTE '{}'", "")
    .replaceAll(/ MAX_[A-Z_]+ 0\b/g, "")
    .replace(" WITH PASSWORD", " PASSWORD");
}
const passwordsOf = async (user: string) =>
  Object.fromEntries(
    (
      await fixture.asRoot(
        `SELECT Host AS host, CONCAT(authentication_string, COALESCE(User_attributes->>'$.additional_password', '')) AS form FROM mysql.user WHERE User = '${user}'`,
      )
    ).map(({ host, form }) => [host, form]),
  );

describe("what logins must bring, limits, and rules for passwords", () => {
  const terms = [
    "REQUIRE SSL",
    "REQUIRE X509",
    "REQUIRE CIPHER 'TLS_AES_256_GCM_SHA384' AND ISSUER '/O=O''Brien\\\\Co' AND SUBJECT '/CN=app'",
    "WITH MAX_QUERIES_PER_HOUR 10000 MAX_UPDATES_PER_HOUR 9000 MAX_CONNECTIONS_PER_HOUR 800 MAX_USER_CONNECTIONS 7",
    "PASSWORD EXPIRE NEVER",
    "PASSWORD EXPIRE INTERVAL 90 DAY",
    "PASSWORD HISTORY 5 PASSWORD REUSE INTERVAL 30 DAY",
    "PASSWORD REQUIRE CURRENT",
    "PASSWORD REQUIRE CURRENT OPTIONAL",
    "FAILED_LOGIN_ATTEMPTS 4 PASSWORD_LOCK_TIME 2",
    "FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED",
    `COMMENT 'the shop''s \\\\ own'`,
    `ATTRIBUTE '{"team": "shop", "pager": {"at": "night"}}'`,
  ];

  test("single-user keeps them all", async () => {
    for (const each of terms.filter((term) => !/X509|ISSUER/.test(term))) {
      const current = await fixture.createUser();
      await fixture.asRoot(
        `ALTER USER ${on(current.username)} ${each}`,
        `GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${on(current.username)}`,
      );
      const before = await described(current.username);
      await single().set(
        { current, pending: await successor(current), previous: async () => undefined },
        contextOf(fixture),
      );
      expect(await described(current.username)).toBe(before);
    }
  });

  test.each(terms)("a new twin has the original's: %s", async (each) => {
    // Logins by a certificate are another host's, since the function has none.
    const first = await fixture.createUser();
    await fixture.createUser(first.username, first.password, "10.%");
    await fixture.asRoot(`ALTER USER ${on(first.username, "10.%")} ${each}`);
    const second = await alternate(fixture, first);
    expect(await described(second.username, "10.%")).toBe(await described(first.username, "10.%"));
  });

  test("one that exists follows", async () => {
    const first = await fixture.createUser();
    const third = await alternate(fixture, await alternate(fixture, first));
    for (const each of terms.filter((term) => !/X509|ISSUER|COMMENT|ATTRIBUTE/.test(term)))
      await fixture.asRoot(`ALTER USER ${on(first.username)} ${each}`);
    const fourth = await alternate(fixture, third);
    expect(await described(fourth.username)).toBe(await described(first.username));
    expect(await described(fourth.username)).toContain("REUSE INTERVAL 30 DAY");
  });

  test("the twin keeps its password by the original's plugin, also where it was made by another", async () => {
    const first = await fixture.createUser();
    const change = `ALTER USER ${on(first.username)} IDENTIFIED WITH`;
    const plugin = async (user: string) =>
      (await fixture.asRoot(`SELECT plugin FROM mysql.user WHERE User = '${user}'`))[0]?.plugin;
    await fixture.asRoot(`${change} sha256_password BY '${first.password}'`);
    const second = await alternate(fixture, first);
    expect(await plugin(second.username)).toBe("sha256_password");
    const third = await alternate(fixture, second);
    expect(await plugin(third.username)).toBe("sha256_password");
    await fixture.asRoot(`${change} caching_sha2_password BY '${third.password}'`);
    const fourth = await alternate(fixture, third);
    expect(await plugin(fourth.username)).toBe("caching_sha2_password");
    expect(await fixture.accepts(fourth)).toBe(true);
  });
});

test("a second password, from when the user was rotated alone, ends with its turn", async () => {
  const first = await fixture.createUser();
  await fixture.asRoot(`GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${on(first.username)}`);
  const second = await successor(first);
  await single().set({ current: first, pending: second, previous: async () => undefined }, contextOf(fixture));
  expect(await fixture.accepts(first)).toBe(true);
  const third = await alternate(fixture, second);
  expect(await fixture.accepts(second)).toBe(true);
  const fourth = await alternate(fixture, third);
  const accepted = [first, second, third, fourth].map((secret) => fixture.accepts(secret));
  expect(await Promise.all(accepted)).toEqual([false, false, true, true]);
});

describe("a name that is several accounts", () => {
  async function withSecond(password?: string): Promise<DatabaseSecret> {
    const first = await fixture.createUser(undefined, undefined, "localhost");
    await fixture.createUser(first.username, password ?? first.password, "10.%");
    await fixture.asRoot(`GRANT SELECT ON shop.* TO ${on(first.username, "localhost")}`);
    await fixture.asRoot(`GRANT INSERT ON shop.* TO ${on(first.username, "10.%")}`);
    return first;
  }
  const hostsOf = async (user: string) =>
    (await fixture.asRoot(`SELECT Host AS host FROM mysql.user WHERE User = '${user}' ORDER BY Host`)).map(
      ({ host }) => host,
    );

  test("with one password is one user: each has its twin with its rights, and all get the pending password", async () => {
    const first = await withSecond();
    const before = await passwordsOf(first.username);
    const second = await alternate(fixture, first);
    expect(await hostsOf(second.username)).toEqual(["10.%", "localhost"]);
    expect(await passwordsOf(first.username)).toEqual(before);
    for (const [host, right] of [
      ["localhost", "SELECT"],
      ["10.%", "INSERT"],
    ] as const) {
      const using = `SHOW GRANTS FOR ${on(second.username, host)} USING ${on(first.username, host)}`;
      const grants = (await fixture.asRoot(using)).map((row) => String(Object.values(row)[0]));
      expect(grants).toContain(`GRANT ${right} ON \`shop\`.* TO ${on(second.username, host)}`);
    }
    await alternate(fixture, second);
    const after = await passwordsOf(first.username);
    expect([after.localhost === before.localhost, after["10.%"] === before["10.%"]]).toEqual([false, false]);
  });

  test("and one of them has another password: that one is somebody else's, gets no twin and is left alone (promise 4)", async () => {
    const first = await withSecond("somebody-else's");
    const before = await passwordsOf(first.username);
    const context = contextOf(fixture);
    const second = await alternate(fixture, first, context);
    expect(await hostsOf(second.username)).toEqual(["localhost"]);
    expect(context.lines.join()).toContain(`"others":["${on(first.username, "10.%")}"]`);
    const third = await alternate(fixture, second);
    expect((await passwordsOf(first.username))["10.%"]).toBe(before["10.%"]);
    await fixture.query(third, "SELECT * FROM shop.item");
  });

  test("a second password counts, too: it is AWSCURRENT's after a rotation that was rolled back", async () => {
    const first = await withSecond();
    await fixture.asRoot(
      `ALTER USER ${on(first.username, "10.%")} IDENTIFIED BY 'of-an-abandoned-try' RETAIN CURRENT PASSWORD`,
    );
    expect(await hostsOf((await alternate(fixture, first)).username)).toEqual(["10.%", "localhost"]);
  });

  test("and one of them is locked: its twin stays locked, and the other's does not", async () => {
    const first = await withSecond();
    await fixture.asRoot(`ALTER USER ${on(first.username, "10.%")} ACCOUNT LOCK`);
    const locked = async (user: string) =>
      fixture.asRoot(
        `SELECT Host AS host, account_locked AS locked FROM mysql.user WHERE User = '${user}' ORDER BY Host`,
      );
    const second = await alternate(fixture, first);
    const expected = [
      { host: "10.%", locked: "Y" },
      { host: "localhost", locked: "N" },
    ];
    expect(await locked(second.username)).toEqual(expected);
    const third = await alternate(fixture, second);
    expect(await locked(third.username)).toEqual(expected);
  });

  test("and a history of passwords: a try that was killed between the locked account and the others is brought to its end", async () => {
    const first = await withSecond();
    for (const host of ["10.%", "localhost"])
      await fixture.asRoot(`ALTER USER ${on(first.username, host)} PASSWORD HISTORY 5`);
    await fixture.asRoot(`ALTER USER ${on(first.username, "10.%")} ACCOUNT LOCK`);
    const pending = await successor(first, multi());
    await alternate(fixture, first, contextOf(fixture), undefined, pending);
    // As before the second of its two statements.
    const twin = on(pending.username, "localhost");
    await fixture.asRoot(
      `ALTER USER ${twin} PASSWORD HISTORY 0`,
      `ALTER USER ${twin} IDENTIFIED BY 'of-a-twin-that-is-not-whole' ACCOUNT LOCK`,
      `ALTER USER ${twin} PASSWORD HISTORY 5`,
    );
    await alternate(fixture, first, contextOf(fixture), undefined, pending);
    await fixture.query(pending, "SELECT * FROM shop.item");
  });

  test("an account of the original that was dropped: its twin is not left behind with a password, the next turn asks for it to be dropped", async () => {
    const first = await withSecond();
    const second = await alternate(fixture, first);
    await fixture.asRoot(`DROP USER ${on(first.username, "10.%")}`);
    // AWSCURRENT is the twin now, and stays as it is.
    const third = await alternate(fixture, second);
    const before = await passwordsOf(second.username);
    await expect(alternate(fixture, third)).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringContaining(`DROP USER ${on(second.username, "10.%")};`),
    });
    expect(await passwordsOf(second.username)).toEqual(before);
    await fixture.asRoot(`DROP USER ${on(second.username, "10.%")}`);
    await alternate(fixture, third);
  });

  test("a stranger that has the twin's name at another host would get the twin's logins from there: refused", async () => {
    const first = await fixture.createUser();
    const stranger = await fixture.createUser(`${first.username}_clone`, undefined, "10.%");
    const before = await passwordsOf(stranger.username);
    await expect(alternate(fixture, first)).rejects.toMatchObject({ code: "wrong-target" });
    expect(await passwordsOf(stranger.username)).toEqual(before);
  });

  test("twins without a mark at several hosts: one login of AWSPREVIOUS does not prove which is whose", async () => {
    const first = await withSecond();
    const clone = await fixture.createUser(`${first.username}_clone`, undefined, "localhost");
    await fixture.createUser(clone.username, "somebody-else's", "10.%");
    const before = await passwordsOf(clone.username);
    await expect(alternate(fixture, first, contextOf(fixture), clone)).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringContaining("does not say which of several accounts"),
    });
    expect(await passwordsOf(clone.username)).toEqual(before);
  });
});

describe("an admin does not act for a user whose login is another's session (promise 4)", () => {
  test("the anonymous user's", async () => {
    const victim = await fixture.createUser("victim", undefined, "10.%");
    await fixture.asRoot("CREATE USER ''@'localhost' IDENTIFIED BY 'anybody'");
    try {
      const current = { ...victim, password: "anybody" };
      const pending = await successor(current, multi());
      const set = multi().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
      await expect(set).rejects.toMatchObject({
        code: "wrong-target",
        message: expect.stringContaining("is a session of ``@`localhost`"),
      });
      expect(await fixture.asRoot("SELECT 1 FROM mysql.user WHERE User = 'victim_clone'")).toEqual([]);
    } finally {
      await fixture.asRoot("DROP USER ''@'localhost'");
    }
  });

  test("the anonymous user's that has no connection left, so that it cannot be asked", async () => {
    const victim = await fixture.createUser("other_victim", undefined, "10.%");
    await fixture.asRoot("CREATE USER ''@'localhost' IDENTIFIED BY 'anybody' WITH MAX_USER_CONNECTIONS 1");
    const taken = await fixture.server.connect({ user: "whoever", password: "anybody" });
    try {
      await expect(alternate(fixture, { ...victim, password: "anybody" })).rejects.toMatchObject({ code: "busy" });
    } finally {
      await taken.end();
      await fixture.asRoot("DROP USER ''@'localhost'");
    }
  });
});

test("an application that has all the connections that its user may have stops neither setSecret nor testSecret", async () => {
  const first = await fixture.createUser();
  const second = await alternate(fixture, first);
  await fixture.asRoot(`ALTER USER ${on(second.username)} WITH MAX_USER_CONNECTIONS 1`);
  const taken = await fixture.server.connect({ user: second.username, password: second.password });
  await alternate(fixture, second);
  await multi().test(second, contextOf(fixture));
  await expect(multi().test({ ...second, password: "wrong" }, contextOf(fixture))).rejects.toMatchObject({
    code: "credentials-rejected",
  });
  await taken.end();
});
