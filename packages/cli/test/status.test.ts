import { readFile } from "node:fs/promises";
import { setTimeout as hold } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Secret } from "../src/secret.ts";
import { isOverdue, secretTable } from "../src/secret-report.ts";
import { quarterturnAt, steady } from "./command-line.ts";
import { startImitatedAws } from "./imitated-aws.ts";
import { type Service, startService } from "./secrets-manager.ts";

let service: Service;
let clock = new Date("2030-01-01T00:00:00Z");
const now = () => clock;
const after = (milliseconds: number) => ({ now: () => new Date(clock.getTime() + milliseconds) });
const run = (line: string, surroundings = after(0)) => quarterturnAt(service.local)(line, surroundings);

beforeAll(async () => {
  service = await startService({ now });
  const { sm, local } = service;
  const create = (Name: string, Tags: { Key: string; Value: string }[] = []) =>
    sm.createSecret({ Name, SecretString: "value", Tags });
  const rotate = async (SecretId: string, RotationLambdaARN: string, days = 30) => {
    await sm.rotateSecret({ SecretId, RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: days } });
    await local.settled(SecretId);
  };
  await create("prod/never-configured");
  await create("prod/cancelled", [{ Key: "team", Value: "shop" }]);
  await rotate("prod/cancelled", "works");
  await sm.cancelRotateSecret({ SecretId: "prod/cancelled" });
  await create("prod/idle", [{ Key: "team", Value: "shop" }]);
  await rotate("prod/idle", "works");
  await create("prod/overdue", [{ Key: "team", Value: "shopping" }]);
  await rotate("prod/overdue", "works", 1);
  await sm.rotateSecret({ SecretId: "prod/overdue", RotationLambdaARN: "fails", RotateImmediately: false });
  await local.settled("prod/overdue");
  clock = new Date("2030-01-01T09:00:00Z");
  await create("prod/stuck", [{ Key: "shop", Value: "team" }]);
  await rotate("prod/stuck", "fails");
  clock = new Date("2030-01-03T10:00:00Z");
  await create("prod/rotating");
  await rotate("prod/rotating", "fails");
  // The endpoint rotates what is due by itself, and this fails.
  await vi.waitFor(async () =>
    expect((await sm.describeSecret({ SecretId: "prod/overdue" })).LastChangedDate).toEqual(clock),
  );
  await local.settled("prod/overdue");
});
afterAll(() => service[Symbol.asyncDispose]());

describe("status", () => {
  test("--all shows the four states, the overdue ones first", async () => {
    const { code, stdout, stderr } = await run("status --all", after(60_000));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toMatchInlineSnapshot(`
      "STATE                    SINCE  LAST        NEXT        SECRET
      ROTATION_IN_PROGRESS     1 min  2030-01-01  2030-01-04  prod/overdue (overdue)
      ROTATION_FAILED          2 d    -           2030-01-31  prod/stuck
      ROTATION_IN_PROGRESS     1 min  -           2030-02-02  prod/rotating
      CONFIGURED_NOT_ROTATING  2 d    2030-01-01  2030-01-31  prod/idle
      NOT_CONFIGURED           2 d    2030-01-01  -           prod/cancelled
      NOT_CONFIGURED           2 d    -           -           prod/never-configured

      6 secrets, 1 overdue
        1 ROTATION_FAILED
        2 ROTATION_IN_PROGRESS
        1 CONFIGURED_NOT_ROTATING
        2 NOT_CONFIGURED
      "
    `);
    // The README shows it.
    expect(await readFile(new URL("../README.md", import.meta.url), "utf8")).toContain(stdout);
  });

  test("a name that is too long for a terminal's line stands below it, whole; in a pipe it is in the line", () => {
    const secret = (name: string, overdue: boolean) => ({
      ...{ id: name, name, arn: name, overdue, state: "CONFIGURED_NOT_ROTATING" as const, rotationEnabled: true },
      ...{ versions: {}, lastChanged: clock, lastRotated: clock, nextRotation: new Date("2030-01-31T23:59:59Z") },
    });
    const managed = "rds!cluster-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    const secrets = [secret(managed, true), secret("twenty-three-characters", false)];
    const table = (width: number) => secretTable(secrets, clock, (_, text) => text, width);
    expect(table(80)).toMatchInlineSnapshot(`
      "STATE                    SINCE  LAST        NEXT        SECRET
      CONFIGURED_NOT_ROTATING  0 s    2030-01-03  2030-01-31
        rds!cluster-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 (overdue)
      CONFIGURED_NOT_ROTATING  0 s    2030-01-03  2030-01-31  twenty-three-characters

      2 secrets, 1 overdue
        2 CONFIGURED_NOT_ROTATING"
    `);
    expect(table(Number.POSITIVE_INFINITY)).toContain(`2030-01-31  ${managed} (overdue)\n`);
  });

  test("of one secret says everything, and what to do about a rotation that failed", async () => {
    const { code, stdout, stderr } = await run("status prod/stuck", after(60_000));
    expect(code).toBe(0);
    expect(steady({ stdout, stderr })).toMatchInlineSnapshot(`
      "prod/stuck
        state     ROTATION_FAILED
        since     2030-01-01 09:00 UTC (2 d)
        next      2030-01-31 23:59 UTC
        schedule  every 30 days
        function  arn:aws:lambda:us-east-1:000000000000:function:fails
        versions  VERSION-1 AWSCURRENT
                  VERSION-2 AWSPENDING
        then      quarterturn cancel prod/stuck --clear-pending --endpoint-url http://HOST
      ---
      "
    `);
  });

  test("of one that goes on says how to end it", async () => {
    const { stdout } = await run("status prod/rotating");
    expect(stdout).toContain("  then      to end it: quarterturn cancel prod/rotating --clear-pending --endpoint-url ");
  });

  test("of one whose rotation was cancelled says how to turn it on again", async () => {
    const { stdout } = await run("status prod/cancelled");
    expect(stdout).toContain(
      "  then      rotation is off; to turn it on again: quarterturn rotate prod/cancelled --endpoint-url ",
    );
    expect((await run("status prod/never-configured")).stdout).not.toContain("  then ");
    expect((await run("status prod/idle")).stdout).not.toContain("  then ");
  });

  test("of several puts the urgent one first", async () => {
    const { stdout } = await run("status prod/idle prod/stuck");
    expect(stdout.split("\n").filter((line) => /^\S/.test(line))).toEqual(["prod/stuck", "prod/idle"]);
  });

  test("takes an ARN", async () => {
    const { ARN } = await service.sm.describeSecret({ SecretId: "prod/idle" });
    expect((await run(`status ${ARN}`)).stdout).toContain("CONFIGURED_NOT_ROTATING");
  });

  test("--tag takes exactly that key with that value, although the service's filter takes what begins with it", async () => {
    const names = async (line: string) => {
      const { secrets } = JSON.parse((await run(`${line} --json`)).stdout) as { secrets: { name: string }[] };
      return secrets.map(({ name }) => name);
    };
    expect(await names("status --tag team=shop")).toEqual(["prod/idle", "prod/cancelled"]);
    expect(await names("status --tag team=shop --tag shop=team")).toEqual([]);
    expect(await names("status --tag team=")).toEqual([]);
  });

  test("--json is whole: dates as ISO 8601, labels by version, nothing in colour", async () => {
    const { secrets } = JSON.parse((await run("status prod/stuck prod/never-configured --json")).stdout) as {
      secrets: { versions: object }[];
    };
    expect(steady({ stdout: JSON.stringify(secrets, null, 2), stderr: "" })).toMatchInlineSnapshot(`
      "[
        {
          "name": "prod/stuck",
          "arn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:prod/stuck-SUFFIX",
          "state": "ROTATION_FAILED",
          "overdue": false,
          "since": "2030-01-01T09:00:00.000Z",
          "lastRotated": null,
          "nextRotation": "2030-01-31T23:59:59.000Z",
          "deleted": null,
          "rotationEnabled": true,
          "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:fails",
          "schedule": {
            "automaticallyAfterDays": 30,
            "expression": null,
            "duration": null
          },
          "versions": {
            "VERSION-1": [
              "AWSCURRENT"
            ],
            "VERSION-2": [
              "AWSPENDING"
            ]
          }
        },
        {
          "name": "prod/never-configured",
          "arn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:prod/never-configured-SUFFIX",
          "state": "NOT_CONFIGURED",
          "overdue": false,
          "since": "2030-01-01T00:00:00.000Z",
          "lastRotated": null,
          "nextRotation": null,
          "deleted": null,
          "rotationEnabled": null,
          "functionArn": null,
          "schedule": null,
          "versions": {
            "VERSION-3": [
              "AWSCURRENT"
            ]
          }
        }
      ]---
      "
    `);
    const { VersionIdsToStages } = await service.sm.describeSecret({ SecretId: "prod/stuck" });
    expect(secrets[0]?.versions).toEqual(VersionIdsToStages);
  });

  const days = (automaticallyAfterDays: number) => ({ schedule: { automaticallyAfterDays } });
  const [next, last] = [new Date("2030-01-04T00:00:00Z"), new Date("2029-12-31T09:00:00Z")];
  test.each<[string, Partial<Secret>, boolean]>([
    ["the service's date has passed", { nextRotation: new Date("2030-01-03T09:59:59Z") }, true],
    ["it has not", { nextRotation: new Date("2030-01-03T10:00:01Z") }, false],
    ["rotation is off", { nextRotation: new Date("2030-01-03T09:59:59Z"), rotationEnabled: false }, false],
    ["there is no date, and the days are over", { ...days(2), lastRotated: last }, true],
    ["and they are not", { ...days(2), lastRotated: new Date("2029-12-31T11:00:00Z") }, false],
    ["they were made fewer since the last rotation", { ...days(2), nextRotation: next, lastRotated: last }, false],
    [
      "they are over, and the rotation that should end it is not finished",
      { ...days(2), nextRotation: next, lastRotated: last, state: "ROTATION_FAILED" },
      true,
    ],
    [
      "it has never rotated, and its first rotation goes on",
      { ...days(2), nextRotation: next, created: last, state: "ROTATION_IN_PROGRESS" },
      false,
    ],
    [
      "its dates do not lie evenly",
      {
        schedule: { automaticallyAfterDays: 1, expression: "cron(0 8 1,2 * ? *)" },
        nextRotation: next,
        lastRotated: last,
        state: "ROTATION_IN_PROGRESS",
      },
      false,
    ],
    ["nothing is known", {}, false],
  ])("overdue where %s: %j %s", (_, facts, expected) => {
    const secret: Secret = {
      id: "a",
      name: "a",
      arn: "a",
      state: "CONFIGURED_NOT_ROTATING",
      versions: {},
      rotationEnabled: true,
    };
    expect(isOverdue({ ...secret, ...facts }, new Date("2030-01-03T10:00:00Z"))).toBe(expected);
  });

  test("since when is not before what was changed last: when rotation was turned off, or on again", async () => {
    const { sm, local } = service;
    const before = clock;
    await sm.createSecret({ Name: "new/app", SecretString: "value" });
    const since = async () => {
      const { secrets } = JSON.parse((await run("status new/app --json")).stdout) as { secrets: { since: string }[] };
      return new Date(secrets[0]?.since ?? "");
    };
    const later = (hours: number) => {
      clock = new Date(clock.getTime() + hours * 3_600_000);
      return clock;
    };
    await sm.rotateSecret({ SecretId: "new/app", RotationLambdaARN: "works" });
    await local.settled("new/app");
    later(1);
    await sm.cancelRotateSecret({ SecretId: "new/app" });
    expect(await since()).toEqual(clock);
    later(1);
    await sm.rotateSecret({ SecretId: "new/app", RotateImmediately: false });
    await local.settled("new/app");
    expect(await since()).toEqual(clock);
    await sm.deleteSecret({ SecretId: "new/app", ForceDeleteWithoutRecovery: true });
    clock = before;
  });

  test("an unknown secret is one line, and the others are shown all the same", async () => {
    const { code, stdout, stderr } = await run("status prod/idle prod/none");
    expect(code).toBe(4);
    expect(stdout).toMatch(/^prod\/idle\n/);
    expect(steady({ stdout: "", stderr })).toBe(
      '---\nquarterturn: There is no secret "prod/none" in us-east-1. See those that there are: quarterturn status --all --endpoint-url http://HOST; or give another --region.\n',
    );
  });

  test.each(["status", "status --all prod/idle", "status --tag wrong"])("%s is a wrong command line", async (line) => {
    const { code, stdout, stderr } = await run(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^quarterturn: .*\. See quarterturn .*--help\.\n$/);
  });
});

describe("status of many", () => {
  let many: Service;
  const names = Array.from({ length: 120 }, (_, i) => `many/${i}`);
  beforeAll(async () => {
    many = await startService();
    await Promise.all(names.map((Name) => many.sm.createSecret({ Name, SecretString: "value" })));
  });
  afterAll(() => many[Symbol.asyncDispose]());

  test("reads all pages of the list, and asks about every secret, about twenty at a time", async () => {
    let [asked, most] = [0, 0];
    await using aws = await startImitatedAws(many.local.url, "none", async (operation) => {
      if (operation !== "DescribeSecret") return undefined;
      most = Math.max(most, ++asked);
      await hold(20);
      asked -= 1;
      return undefined;
    });
    const { code, stdout, stderr } = await quarterturnAt(aws)("status --all");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trim().split("\n");
    expect(lines.slice(1, -3)).toHaveLength(names.length);
    expect(lines.slice(-2)).toEqual(["120 secrets", "  120 NOT_CONFIGURED"]);
    const calls = (operation: string) => many.local.events.filter(({ name }) => name === operation).length;
    expect([calls("ListSecrets"), calls("DescribeSecret")]).toEqual([2, 120]);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(20);
  });

  test("ends at Ctrl-C, and tells nothing of those that it has not asked about", async () => {
    const interruption = new AbortController();
    const stop = many.local.onEvent(({ name }) => name === "DescribeSecret" && interruption.abort());
    const ran = await quarterturnAt(many.local)("status --all", { signal: interruption.signal });
    stop();
    const stderr = "quarterturn: Interrupted; what was begun at AWS goes on.\n";
    expect(ran).toEqual({ code: 130, stdout: "", stderr });
  });
});
