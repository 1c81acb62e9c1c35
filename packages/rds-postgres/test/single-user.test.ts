import { readFile } from "node:fs/promises";
import { deadlineOf } from "@quarterturn/core";
import { type DatabaseSecret, loginOf } from "@quarterturn/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgres } from "../src/index.ts";
import { contextOf, currentMinors, type Fixture, single, startFixture, successor } from "./fixture.ts";

let fixture: Fixture;

const set = (current: DatabaseSecret, pending: DatabaseSecret, previous?: DatabaseSecret) =>
  single().set({ current, pending, previous: async () => previous }, contextOf(fixture));
const accepts = ({ username, password }: DatabaseSecret) =>
  fixture.server.connect({ user: username, password, database: "postgres" }).then(
    (client) => client.end().then(() => true),
    (error: { code?: string }) => {
      if (error.code === "28P01") return false;
      throw error;
    },
  );
/** What the server's log says of logins while something is done. */
async function loginsDuring(work: () => Promise<unknown>): Promise<{ accepted: number; refused: number }> {
  const before = (await readFile(fixture.server.logFile, "utf8")).length;
  await work();
  const log = (await readFile(fixture.server.logFile, "utf8")).slice(before);
  return {
    accepted: log.split("connection authorized").length - 1,
    refused: log.split("password authentication failed").length - 1,
  };
}

describe.each(currentMinors)("setSecret of the single-user strategy on PostgreSQL %s", (version) => {
  beforeAll(async () => {
    fixture = await startFixture({ version, settings: { log_connections: "on" } });
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  test("takes two logins (the second proves that nobody else changed the password), testSecret one; none is refused (weakness 5)", async () => {
    const current = await fixture.createUser();
    const pending = await successor(current);
    const logins = await loginsDuring(async () => {
      await set(current, pending);
      await single().test(pending, contextOf(fixture));
    });
    expect(logins).toEqual({ accepted: 3, refused: 0 });
    expect([await accepts(current), await accepts(pending)]).toEqual([false, true]);
  });

  test("again after it was done, changes nothing", async () => {
    const current = await fixture.createUser();
    const pending = await successor(current);
    await set(current, pending);
    const stored = async () =>
      (await fixture.superuser.query("SELECT rolpassword FROM pg_authid WHERE rolname = $1", [current.username]))
        .rows[0];
    const before = await stored();
    await set(current, pending);
    expect(await stored()).toEqual(before);
  });

  test("after AWSCURRENT was rolled back, goes on from AWSPREVIOUS, which the database still has", async () => {
    const older = await fixture.createUser();
    const newer = await successor(older);
    await set(older, newer);
    const pending = await successor(older);
    await set(older, pending, newer);
    expect([await accepts(newer), await accepts(pending)]).toEqual([false, true]);
  });

  test("with no password that works, says so and changes nothing", async () => {
    const current = await fixture.createUser();
    const wrong = { ...current, password: "wrong" };
    const refused = set(wrong, await successor(wrong), { ...current, password: "also wrong" });
    await expect(refused).rejects.toMatchObject({
      code: "credentials-rejected",
      message: expect.stringMatching(
        /refuses the user "app\d+" with the passwords of AWSCURRENT, the pending version and AWSPREVIOUS/,
      ),
    });
    expect(await accepts(current)).toBe(true);
  });

  test("a pending password that is the current one is no change and no login", async () => {
    const current = await fixture.createUser();
    expect(await loginsDuring(() => set(current, { ...current }))).toEqual({ accepted: 0, refused: 0 });
  });

  test.each([
    ["another user", { username: "somebody" }, /the user \("somebody" instead of "app\d+"\)/],
    ["another host", { host: "elsewhere.example" }, /the server \(elsewhere\.example:\d+ instead of localhost:\d+\)/],
    ["another port", { port: 1 }, /the server \(localhost:1 instead of/],
  ])("a pending version with %s is refused before any connection (promise 4)", async (_name, other, message) => {
    const current = await fixture.createUser();
    const logins = await loginsDuring(async () => {
      await expect(set(current, { ...(await successor(current)), ...other })).rejects.toMatchObject({
        code: "wrong-target",
        message: expect.stringMatching(message),
      });
    });
    expect(logins).toEqual({ accepted: 0, refused: 0 });
    expect(await accepts(current)).toBe(true);
  });

  test("AWSPREVIOUS of another user is not used", async () => {
    const current = await fixture.createUser();
    const other = await fixture.createUser();
    const wrong = { ...current, password: "wrong" };
    await expect(set(wrong, await successor(wrong), other)).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringMatching(/AWSPREVIOUS and AWSCURRENT differ/),
    });
    expect(await accepts(other)).toBe(true);
  });

  test("host names differ in more than case, or not at all", async () => {
    const current = await fixture.createUser();
    await set({ ...current, host: "LOCALHOST" }, await successor(current));
  });

  test("alters the user that logged in, although its own setting makes the session another role's", async () => {
    const current = await fixture.createUser();
    const other = await fixture.createUser();
    await fixture.superuser.query(
      `GRANT ${other.username} TO ${current.username}; ALTER ROLE ${current.username} SET role TO '${other.username}'`,
    );
    const pending = await successor(current);
    await set(current, pending);
    expect([await accepts(pending), await accepts(other)]).toEqual([true, true]);
  });

  test("a user whose settings would have the change fail or misread is changed all the same", async () => {
    const current = await fixture.createUser();
    for (const setting of [
      "default_transaction_read_only TO on",
      "standard_conforming_strings TO off",
      "statement_timeout TO '1ms'",
      "search_path TO ''",
    ]) {
      await fixture.superuser.query(`ALTER ROLE ${current.username} SET ${setting}`);
    }
    const pending = await successor(current);
    await set(current, pending);
    expect(await accepts(pending)).toBe(true);
  });

  test("the same setSecret several times at once: all end, and the pending password logs in", async () => {
    for (let round = 0; round < 5; round++) {
      const current = await fixture.createUser();
      const pending = await successor(current);
      await Promise.all([set(current, pending), set(current, pending), set(current, pending)]);
      expect(await accepts(pending)).toBe(true);
    }
  });

  test.each(["'", '"', "\\", "pass'word\"with\\all", "naïve 🔑", "$1 %s", "x".repeat(200)])(
    "a current password %j and a name of the same are data",
    async (hostile) => {
      const current = await fixture.createUser(`u${hostile.slice(0, 50)}`, hostile);
      const pending = await successor(current);
      await set(current, pending);
      expect([await accepts(current), await accepts(pending)]).toEqual([false, true]);
    },
  );

  test("a name that the server would cut off is not somebody else's", async () => {
    const current = await fixture.createUser("y".repeat(63));
    const longer = { ...current, username: `${current.username}z` };
    await expect(set(longer, await successor(longer))).rejects.toMatchObject({
      code: "wrong-target",
      message: expect.stringMatching(/is a session of "y{63}"/),
    });
    expect(await accepts(current)).toBe(true);
  });

  test("a user that may not log in is told as that, and not as a wrong password", async () => {
    const current = await fixture.createUser();
    await fixture.superuser.query(`ALTER ROLE ${current.username} NOLOGIN`);
    await expect(set(current, await successor(current))).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringMatching(/not permitted to log in/),
    });
  });

  test("a database that does not exist is a mistake in the secret", async () => {
    const current = { ...(await fixture.createUser()), dbname: "nowhere" };
    await expect(set(current, await successor(current))).rejects.toMatchObject({
      code: "bad-secret",
      message: expect.stringMatching(/"nowhere" does not exist .* Correct dbname/),
    });
  });

  test("a late step of a rotation that was given up does not overwrite what a newer one set", async () => {
    const current = await fixture.createUser();
    const [stale, fresh] = [await successor(current), await successor(current)];
    // Both wait for the user's row, in this order.
    await fixture.superuser.query(`BEGIN; ALTER ROLE ${current.username} VALID UNTIL 'infinity'`);
    const waiting = async (count: number) => {
      await expect
        .poll(async () => (await fixture.superuser.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount, {
          timeout: 5_000,
        })
        .toBe(count);
    };
    const first = set(current, fresh);
    await waiting(1);
    const second = set(current, stale);
    await waiting(2);
    await fixture.superuser.query("COMMIT");
    const outcomes = await Promise.allSettled([first, second]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const winner = outcomes[0]?.status === "fulfilled" ? fresh : stale;
    expect(await accepts(winner)).toBe(true);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "superseded" } });
  });

  test("a user that has all the connections it may have is rotated, and its password counts as proven", async () => {
    const current = await fixture.createUser();
    await fixture.superuser.query(`ALTER ROLE ${current.username} CONNECTION LIMIT 1`);
    const pending = await successor(current);
    await set(current, pending);
    const busy = await fixture.server.connect({ user: pending.username, password: pending.password });
    await single().test(pending, contextOf(fixture));
    await busy.end();
  });

  test("a row that another session holds locked is a timeout, with what to look for", async () => {
    const current = await fixture.createUser();
    await fixture.superuser.query(`BEGIN; ALTER ROLE ${current.username} VALID UNTIL 'infinity'`);
    const end = Date.now() + 2_000;
    const context = { ...contextOf(fixture), deadline: deadlineOf(() => end - Date.now()) };
    const refused = single().set(
      { current, pending: await successor(current), previous: async () => undefined },
      context,
    );
    await expect(refused).rejects.toMatchObject({ code: "timeout" });
    expect(Date.now()).toBeLessThan(end);
    await fixture.superuser.query("ROLLBACK");
    expect(await accepts(current)).toBe(true);
  });

  test("an admin restores a user's password, and not that of a user that is not there", async () => {
    const secret = await fixture.createUser();
    const next = await successor(secret);
    const session = await postgres({}).login(loginOf({ ...secret, ...fixture.admin }), contextOf(fixture));
    if (session === "rejected") throw new Error("the admin is refused");
    try {
      await session.restorePassword(secret, next.password);
      expect([await accepts(secret), await accepts(next)]).toEqual([false, true]);
      await expect(session.restorePassword({ ...secret, username: "nobody" }, "x")).rejects.toMatchObject({
        code: "wrong-target",
      });
    } finally {
      await session.close();
    }
  });
});

test("a server that has only the superusers' connections left has looked at the password first: what was set is promoted", async () => {
  await using full = await startFixture({ settings: { max_connections: "6", superuser_reserved_connections: "3" } });
  const current = await full.createUser();
  const pending = await successor(current);
  const open = () => full.server.connect({ user: current.username, password: current.password });
  // One is left, for setSecret's session: the login that it looks with finds none.
  const [first, second] = [await open(), await open()];
  await first.end();
  await single().set({ current, pending, previous: async () => undefined }, contextOf(full));
  const third = await full.server.connect({ user: pending.username, password: pending.password });
  await single().test(pending, contextOf(full));
  await expect(single().test(current, contextOf(full))).rejects.toMatchObject({ code: "credentials-rejected" });
  // Now none is left at all, which the server says before it has looked at any password.
  const superusers = await Promise.all([full.server.connect(), full.server.connect(), full.server.connect()]);
  for (const untested of [pending, current]) {
    await expect(single().test(untested, contextOf(full))).rejects.toMatchObject({ code: "busy" });
  }
  await Promise.all([second, third, ...superusers].map((client) => client.end()));
});
