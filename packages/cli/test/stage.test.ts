import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";
import { startImitatedAws } from "./imitated-aws.ts";

let database: Database;
const run = (line: string) => quarterturnAt(database.service.local)(line);

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** A secret that was rotated once: of its versions AWSCURRENT logs in and AWSPREVIOUS does not. */
async function rotated(keys?: object): Promise<{ secret: string; current: string; previous: string }> {
  const secret = await database.createSecret(keys);
  await database.rotate(secret);
  const [current, previous] = [
    await database.version(secret, "AWSCURRENT"),
    await database.version(secret, "AWSPREVIOUS"),
  ];
  return { secret, current, previous };
}

describe("stage", () => {
  test("moves AWSCURRENT to a version that logs in, and takes off the AWSPENDING that would undo it", async () => {
    const { secret, current, previous } = await rotated();
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    const ran = await run(`stage ${secret} AWSCURRENT ${previous} --yes`);
    expect(ran.code).toBe(0);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "AWSCURRENT of SECRET is on version VERSION-1.
      ---
      Version VERSION-1 logs in at DATABASE (as "SECRET")
      AWSPENDING is taken off version VERSION-2
      AWSCURRENT moves to version VERSION-1 from VERSION-2
      "
    `);
    const { VersionIdsToStages } = await database.service.sm.describeSecret({ SecretId: secret });
    expect(VersionIdsToStages).toEqual({ [previous]: ["AWSCURRENT"], [current]: ["AWSPREVIOUS"] });
    await database.rotate(secret);
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test.each([
    ["awscurrent", randomUUID(), "awscurrent is not a label of Secrets Manager's: AWSCURRENT is written in capitals."],
    [
      "AWSCURRENT",
      "4a5bf209",
      '"4a5bf209" is not the whole id of a version of "SECRET". See their ids: quarterturn status',
    ],
  ])("%s %s is refused, in words", async (label, version, words) => {
    const { secret } = await rotated();
    const { code, stderr } = await run(`stage ${secret} ${label} ${version} --yes`);
    expect({ code, line: stderr.replaceAll(secret, "SECRET") }).toEqual({
      code: 2,
      line: expect.stringContaining(words),
    });
  });

  test("refuses AWSCURRENT for a version that the database refuses, --force or not", async () => {
    const { secret, current, previous } = await rotated();
    const ran = await run(`stage ${secret} AWSCURRENT ${previous} --yes --force`);
    expect(ran.code).toBe(3);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      quarterturn: AWSCURRENT of "SECRET" was not moved. Version VERSION-1 is refused at DATABASE (as "SECRET"). See which version does: quarterturn recover SECRET --endpoint-url http://HOST.
      "
    `);
    expect(await database.version(secret, "AWSCURRENT")).toBe(current);
  });

  test("refuses AWSCURRENT where the database cannot be reached, unless it is forced", async () => {
    const secret = `unreachable-${randomUUID()}`;
    const { sm } = database.service;
    const value = JSON.stringify({
      engine: "postgres",
      host: "localhost",
      port: 1,
      username: "u",
      password: "never-shown",
    });
    const { VersionId: first } = await sm.createSecret({ Name: secret, SecretString: value });
    await sm.putSecretValue({ SecretId: secret, SecretString: value });
    const refused = await run(`stage ${secret} AWSCURRENT ${first} --yes`);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/could not be tried: localhost:1 .*--force\.$/m),
    });
    expect(refused.stderr).not.toContain("never-shown");
    expect(await run(`stage ${secret} AWSCURRENT ${first} --yes --force`)).toMatchObject({ code: 0 });
    expect(await database.version(secret, "AWSCURRENT")).toBe(first);
  });

  test("a value that names no database known here is refused for AWSCURRENT, and other labels are not asked about", async () => {
    const { sm } = database.service;
    const { VersionId = "" } = await sm.createSecret({ Name: "plain", SecretString: '{"key":"never-shown"}' });
    const broken = '{"engine":"postgres","password":"never-shown-2",}';
    const { VersionId: notJson = "" } = await sm.putSecretValue({ SecretId: "plain", SecretString: broken });
    await sm.putSecretValue({ SecretId: "plain", SecretString: "never-shown-3" });
    const refusedFor = async (version: string) => {
      const { code, stderr } = await run(`stage plain AWSCURRENT ${version} --yes`);
      expect(code).toBe(3);
      return stderr;
    };
    expect(await refusedFor(VersionId)).toContain(`The value of version ${VersionId} names no database that is known`);
    expect(await refusedFor(notJson)).toContain(`The value of version ${notJson} is not a JSON object, so nobody can`);
    expect(await run(`stage plain blue ${VersionId} --yes`)).toMatchObject({ code: 0 });
    expect(await database.version("plain", "blue")).toBe(VersionId);
    expect(await run(`stage plain blue ${VersionId} --yes`)).toMatchObject({
      code: 0,
      stdout: `blue of plain is on version ${VersionId} already.\n`,
    });
  });

  test("without a terminal it says what it would do, and asks for --yes", async () => {
    const { secret, current } = await rotated();
    const ran = await run(`stage ${secret} blue ${current}`);
    expect(ran.code).toBe(2);
    expect(steady(ran)).toMatchInlineSnapshot(`
      "---
      blue is given to version VERSION-1
      quarterturn: Nothing was changed: this asks before it changes something, and nobody is there to answer. Read what it would do, above, then run it again with --yes.
      "
    `);
    await expect(database.version(secret, "blue")).rejects.toThrow();
  });

  test("a version that is not there is one line", async () => {
    const { secret } = await rotated();
    for (const label of ["AWSCURRENT", "blue"]) {
      const { stderr, code } = await run(`stage ${secret} ${label} ${randomUUID()} --yes`);
      expect(code).toBeGreaterThan(2);
      expect(stderr.trim().split("\n").at(-1)).toMatch(/^quarterturn: .*quarterturn status app\d+ /);
    }
  });

  test("AWSPENDING is not moved: it may be all that leads to the value that works", async () => {
    const secret = await database.createSecret();
    await database.rotate(secret, "stops-at-testSecret");
    const [pending, current] = [
      await database.version(secret, "AWSPENDING"),
      await database.version(secret, "AWSCURRENT"),
    ];
    const ran = await run(`stage ${secret} AWSPENDING ${current} --yes --force`);
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringMatching(/quarterturn cancel app\d+ --clear-pending/) });
    expect(await database.version(secret, "AWSPENDING")).toBe(pending);
  });

  test("while a rotation is not finished, AWSCURRENT moves to its version only", async () => {
    const { secret, current, previous } = await rotated();
    await database.rotate(secret, "stops-at-testSecret");
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    const refused = await run(`stage ${secret} AWSCURRENT ${previous} --yes --force`);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/not finished.*cancel app\d+ --clear-/) });
    expect(await database.version(secret, "AWSCURRENT")).toBe(current);
    await database.setPassword(secret, (await database.value(secret, "AWSPENDING")).password);
    const pending = await database.version(secret, "AWSPENDING");
    expect(await run(`stage ${secret} AWSCURRENT ${pending} --yes`)).toMatchObject({ code: 0 });
    expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  });

  test("AWSPREVIOUS leaves a version only while AWSCURRENT logs in", async () => {
    const { secret, current, previous } = await rotated();
    await database.rotate(secret);
    const line = `stage ${secret} AWSPREVIOUS ${previous} --yes`;
    await database.setPassword(secret, (await database.value(secret, "AWSPREVIOUS")).password);
    const refused = await run(line);
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        new RegExp(`AWSPREVIOUS is the value that works: .*stage ${secret} AWSCURRENT ${current}`),
      ),
    });
    expect(await database.version(secret, "AWSPREVIOUS")).toBe(current);
    await database.setPassword(secret, (await database.value(secret, "AWSCURRENT")).password);
    expect(await run(line)).toMatchObject({ code: 0 });
    expect(await database.version(secret, "AWSPREVIOUS")).toBe(previous);
  });

  test("what the service refuses for another reason than a label that has moved is told as it is, of the secret as it was named", async () => {
    const { secret, current } = await rotated();
    const message = "You have too many labels on this version.";
    await using aws = await startImitatedAws(database.service.local.url, "none", async (operation) => {
      if (operation !== "UpdateSecretVersionStage") return undefined;
      const undo = { VersionStage: "blue", RemoveFromVersionId: current };
      await database.service.sm.updateSecretVersionStage({ SecretId: secret, ...undo });
      return { __type: "InvalidParameterException", message };
    });
    const { ARN } = await database.service.sm.describeSecret({ SecretId: secret });
    const ran = await quarterturnAt(aws)(`stage ${ARN} blue ${current} --yes`);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(
      `AWS refuses this for "${ARN}" (You have too many labels on this version). Correct that, if it is of the command line; how the secret is: quarterturn status ${ARN} `,
    );
  });

  test("labels that the service lists in another order have not moved", async () => {
    const { secret, current } = await rotated();
    let looks = 0;
    await using aws = await startImitatedAws(database.service.local.url, "none", async (operation) => {
      if (operation !== "DescribeSecret") return undefined;
      const { ARN, Name, VersionIdsToStages = {} } = await database.service.sm.describeSecret({ SecretId: secret });
      const ordered = Object.entries(VersionIdsToStages).map(([id, labels]) => [id, labels.toSorted()] as const);
      const isSecond = ++looks === 2;
      return {
        ARN,
        Name,
        VersionIdsToStages: Object.fromEntries(
          ordered.map(([id, labels]) => [id, isSecond ? labels.toReversed() : labels]),
        ),
      };
    });
    expect(await quarterturnAt(aws)(`stage ${secret} blue ${current} --yes`)).toMatchObject({ code: 0 });
    expect(looks).toBe(2);
  });

  test("Ctrl-C before anything is changed ends it", async () => {
    const { secret, current } = await rotated();
    const interruption = new AbortController();
    const { signal } = interruption;
    await using aws = await startImitatedAws(database.service.local.url, "none", async () => {
      interruption.abort();
      return undefined;
    });
    const ran = await quarterturnAt(aws)(`stage ${secret} blue ${current} --yes`, { signal });
    expect(ran).toEqual({ code: 130, stdout: "", stderr: expect.stringMatching(/^quarterturn: Interrupted; /) });
    await expect(database.version(secret, "blue")).rejects.toThrow();
  });
});
