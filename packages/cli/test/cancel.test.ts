import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";
import { startImitatedAws } from "./imitated-aws.ts";

let database: Database;
const run = (line: string) => quarterturnAt(database.service.local)(line);
const described = (SecretId: string) => database.service.sm.describeSecret({ SecretId });

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** A secret whose rotation has stopped at a step and blocks every other. */
async function stuckAt(step: "createSecret" | "setSecret" | "testSecret", keys?: object): Promise<string> {
  const secret = await database.createSecret(keys);
  await database.rotate(secret, `stops-at-${step}`);
  return secret;
}

/** Whether the secret rotates by the real function again. */
async function rotatesAgain(secret: string): Promise<boolean> {
  await database.rotate(secret);
  return database.accepts(secret, "AWSCURRENT");
}

describe("cancel", () => {
  test("turns rotation off, and says that the pending version is left and blocks", async () => {
    const secret = await stuckAt("setSecret");
    const ran = await run(`cancel ${secret} --yes`);
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "Rotation was turned off; function and schedule are kept.
      Version VERSION-1 is still AWSPENDING, and blocks later rotations: quarterturn cancel SECRET --clear-pending --endpoint-url http://HOST
      ---
      AWSCURRENT logs in at DATABASE (as "SECRET"); AWSPENDING is refused at DATABASE (as "SECRET")
      Rotation is turned off; function and schedule are kept
      "
    `);
    expect((await described(secret)).RotationEnabled).toBe(false);
    await expect(database.version(secret, "AWSPENDING")).resolves.toBeDefined();

    const again = await run(`cancel ${secret} --yes`);
    expect(again.code).toBe(0);
    expect(steady(again)).toMatchInlineSnapshot(`
      "Rotation of SECRET is off already, and version VERSION-1 is still AWSPENDING (--clear-pending).
      ---
      "
    `);
  });

  test("where neither value logs in turns it off all the same, since recover begins there, and says so", async () => {
    const secret = await stuckAt("setSecret");
    await database.setPassword(secret, "another");
    const ran = await run(`cancel ${secret} --yes`);
    expect(ran).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Rotation was turned off.*\n.*recover app\d+ /),
    });
    expect(ran.stderr).toMatch(/^AWSCURRENT is refused .*; AWSPENDING is refused /);
    expect((await described(secret)).RotationEnabled).toBe(false);
  });

  test("of a secret without rotation does nothing", async () => {
    await database.service.sm.createSecret({ Name: "none", SecretString: "x" });
    expect(await run("cancel none --clear-pending")).toMatchObject({
      code: 0,
      stdout: "Rotation of none is off already, and nothing is pending.\n",
    });
  });

  test("asks before it does anything", async () => {
    const secret = await database.createSecret();
    expect(await run(`cancel ${secret}`)).toMatchObject({ code: 2, stdout: "" });
    expect((await described(secret)).RotationEnabled).toBe(true);
  });
});

describe("cancel --clear-pending", () => {
  test("before setSecret: AWSCURRENT logs in, so the pending value may go, and rotations work again", async () => {
    const secret = await stuckAt("setSecret");
    const ran = await run(`cancel ${secret} --clear-pending --yes`);
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "Rotation was turned off; function and schedule are kept. AWSPENDING was taken off version VERSION-1.
      To rotate again: quarterturn rotate SECRET --wait --endpoint-url http://HOST
      ---
      AWSCURRENT logs in at DATABASE (as "SECRET"); AWSPENDING is refused at DATABASE (as "SECRET")
      Rotation is turned off; function and schedule are kept
      AWSPENDING is taken off version VERSION-1
      "
    `);
    await expect(database.version(secret, "AWSPENDING")).rejects.toThrow();
    expect(await rotatesAgain(secret)).toBe(true);
  });

  test("before createSecret there is no value that could be lost", async () => {
    const secret = await stuckAt("createSecret");
    expect(await run(`cancel ${secret} --clear-pending --yes`)).toMatchObject({ code: 0 });
    expect(await rotatesAgain(secret)).toBe(true);
    const unreached = await stuckAt("createSecret", { port: 1 });
    expect(await run(`cancel ${unreached} --clear-pending --yes`)).toMatchObject({ code: 0 });
  });

  test("after setSecret only the pending value logs in: refused, with the command that promotes it", async () => {
    const secret = await stuckAt("testSecret");
    const ran = await run(`cancel ${secret} --clear-pending --yes --force`);
    expect(ran.code).toBe(3);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      quarterturn: AWSPENDING of "SECRET" was not taken off, and rotation is still on. AWSCURRENT is refused at DATABASE (as "SECRET"); AWSPENDING logs in at DATABASE (as "SECRET"). AWSPENDING is the value that works: quarterturn stage SECRET AWSCURRENT VERSION-1 --endpoint-url http://HOST
      "
    `);
    expect((await described(secret)).RotationEnabled).toBe(true);
    const plain = await run(`cancel ${secret} --yes --force`);
    expect(plain).toMatchObject({ code: 3, stdout: "" });
    expect(plain.stderr).toBe(
      ran.stderr.replace(
        /AWSPENDING of "\w+" was not taken off, and rotation is still on/,
        `Rotation of "${secret}" was not turned off`,
      ),
    );
    expect((await described(secret)).RotationEnabled).toBe(true);

    const [, command = ""] = /: quarterturn (stage .*?) --endpoint-url/.exec(ran.stderr) ?? [];
    expect(await run(`${command} --yes`)).toMatchObject({ code: 0 });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    expect(await rotatesAgain(secret)).toBe(true);
  });

  test("there it offers somebody at a terminal to promote the pending value", async () => {
    const secret = await stuckAt("testSecret");
    const line = `cancel ${secret} --clear-pending`;
    expect(await quarterturnAt(database.service.local)(line, { key: "n" })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("Only the pending value logs in"),
    });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(false);
    expect(await quarterturnAt(database.service.local)(line, { key: "y" })).toMatchObject({ code: 0 });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
    expect((await described(secret)).RotationEnabled).toBe(true);
    expect(await rotatesAgain(secret)).toBe(true);
  });

  test("the pending value that it offers to promote must still log in after the yes, --force or not", async () => {
    const secret = await stuckAt("testSecret");
    const key = async () => {
      await database.superuser.query(`ALTER ROLE ${secret} NOLOGIN`);
      return "y";
    };
    const ran = await quarterturnAt(database.service.local)(`cancel ${secret} --clear-pending --force`, { key });
    expect(ran.stderr).toMatch(/AWSCURRENT of "\w+" was not moved\. Version \S+ could not be tried/);
    expect(ran.code).toBe(3);
    await expect(database.version(secret, "AWSPENDING")).resolves.not.toBe(
      await database.version(secret, "AWSCURRENT"),
    );
  });

  test("where neither logs in it is refused, --force or not: recover finds what does", async () => {
    const secret = await stuckAt("setSecret");
    await database.setPassword(secret, "another");
    const ran = await run(`cancel ${secret} --clear-pending --yes --force`);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/and rotation is still on\. AWSCURRENT is refused .*AWSPENDING is refused /);
    await expect(database.version(secret, "AWSPENDING")).resolves.toBeDefined();
    // What it says leads on: recover alone would refuse while rotation is on.
    const [, off = "", recover = ""] =
      /: quarterturn (cancel .*) \(rotation is on\), then quarterturn (.*)\.$/m.exec(ran.stderr) ?? [];
    const withoutEndpoint = (line: string) => line.replace(/ --endpoint-url \S+/, "");
    expect(await run(`${withoutEndpoint(off)} --yes`)).toMatchObject({ code: 0 });
    const recovered = await run(`${withoutEndpoint(recover)} --yes`);
    expect(recovered.stderr).not.toContain("is in progress");
    expect(recovered.stderr).toContain("--admin-secret");
  });

  test.each(["", " --clear-pending"])(
    "where the database cannot be reached cancel%s is refused without --force",
    async (option) => {
      const secret = await stuckAt("setSecret", { port: 1 });
      const refused = await run(`cancel ${secret}${option} --yes`);
      expect(refused.code).toBe(3);
      expect(refused.stderr).toMatch(/could not be tried.*--force\.$/m);
      expect((await described(secret)).RotationEnabled).toBe(true);
      expect(await run(`cancel ${secret}${option} --yes --force`)).toMatchObject({ code: 0 });
      expect((await described(secret)).RotationEnabled).toBe(false);
      if (option) await expect(database.version(secret, "AWSPENDING")).rejects.toThrow();
    },
  );

  test("the password is changed while the question of cancel stands: rotation stays on", async () => {
    const secret = await stuckAt("setSecret");
    const key = async () => {
      await database.setPassword(secret, (await database.value(secret, "AWSPENDING")).password);
      return "y";
    };
    const ran = await quarterturnAt(database.service.local)(`cancel ${secret}`, { key });
    expect(ran.stderr).toMatch(/Rotation of "\w+" was not turned off\. AWSCURRENT is refused .*quarterturn stage/);
    expect(ran.code).toBe(3);
    expect((await described(secret)).RotationEnabled).toBe(true);
  });

  test.each(["", " --clear-pending"])(
    "a rotation that begins while the question of cancel%s stands goes on",
    async (option) => {
      const secret = await database.createSecret();
      const key = async () => {
        await database.rotate(secret, "stops-at-testSecret");
        return "y";
      };
      const ran = await quarterturnAt(database.service.local)(`cancel ${secret}${option}`, { key });
      expect(ran.stderr).toContain(`Rotation of "${secret}" was not turned off: the secret was changed meanwhile`);
      expect(ran.code).toBe(3);
      expect((await described(secret)).RotationEnabled).toBe(true);
    },
  );

  test.each(["", " --clear-pending"])(
    "a step that still changes the password while cancel%s turns rotation off: AWSPENDING stays",
    async (option) => {
      const secret = await stuckAt("setSecret");
      await using aws = await startImitatedAws(database.service.local.url, "none", async (operation) => {
        if (operation !== "CancelRotateSecret") return;
        await database.setPassword(secret, (await database.value(secret, "AWSPENDING")).password);
      });
      const ran = await quarterturnAt(aws)(`cancel ${secret}${option} --yes`);
      expect(ran.code).toBe(3);
      expect(ran.stderr).toMatch(
        /was not taken off\. .*AWSPENDING logs in .* Rotation was turned off\. .*quarterturn stage/,
      );
      expect(await database.accepts(secret, "AWSPENDING")).toBe(true);
    },
  );

  test("--force does not go past a database that refuses AWSCURRENT, although the pending value cannot be tried", async () => {
    const secret = await stuckAt("createSecret");
    const SecretId = secret;
    const pending = await database.version(secret, "AWSPENDING");
    const value = { ...(await database.value(secret, "AWSCURRENT")), port: 1 };
    const { sm } = database.service;
    const SecretString = JSON.stringify(value);
    await sm.putSecretValue({ SecretId, ClientRequestToken: pending, SecretString, VersionStages: ["AWSPENDING"] });
    await database.setPassword(secret, "another");
    const ran = await run(`cancel ${secret} --clear-pending --yes --force`);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/AWSCURRENT is refused .*AWSPENDING could not be tried.*quarterturn recover/);
    expect(await database.version(secret, "AWSPENDING")).toBe(pending);
    expect(await run(`cancel ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/--force\.$/m),
    });
    expect(await run(`cancel ${secret} --yes --force`)).toMatchObject({ code: 0 });
  });

  test("--force says what was tried", async () => {
    const secret = await stuckAt("setSecret", { port: 1 });
    const { stderr } = await run(`cancel ${secret} --clear-pending --force`);
    expect(stderr).toMatch(/^AWSCURRENT could not be tried: .*; AWSPENDING could not be tried: /);
  });

  const ended = /^Rotation was turned off[^.]*\. The rotation to version \S+ had ended meanwhile\.\nTo rotate again/;
  test.each([
    ["", ended],
    [" --clear-pending", ended],
    [" --clear-pending --json", /"cancelled": true,\s*"pending": null,\s*"cleared": null/],
  ])(
    "cancel%s of a rotation that ends while it is turned off says so, and takes off nothing",
    async (option, words) => {
      const secret = await stuckAt("setSecret");
      const pending = await database.version(secret, "AWSPENDING");
      await using aws = await startImitatedAws(database.service.local.url, "none", async (operation) => {
        if (operation !== "CancelRotateSecret") return undefined;
        await database.promote(secret, pending);
        return undefined;
      });
      const ran = await quarterturnAt(aws)(`cancel ${secret}${option} --yes`);
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(words) });
      expect((await described(secret)).VersionIdsToStages?.[pending]?.toSorted()).toEqual(["AWSCURRENT", "AWSPENDING"]);
    },
  );

  test("never prints a password", async () => {
    const secret = await stuckAt("setSecret");
    const values = [await database.value(secret, "AWSCURRENT"), await database.value(secret, "AWSPENDING")];
    const { stdout, stderr } = await run(`cancel ${secret} --clear-pending --yes --debug --json`);
    for (const { password } of values) expect(stdout + stderr).not.toContain(password);
  });
});
