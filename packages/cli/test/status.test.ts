import { readFile } from "node:fs/promises";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isOverdue } from "../src/secret-report.ts";
import { quarterturnAt, steady } from "./command-line.ts";
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

  test("of one secret says everything, and what to do about a rotation that failed", async () => {
    const { code, stdout, stderr } = await run("status prod/stuck", after(60_000));
    expect(code).toBe(0);
    expect(steady({ stdout, stderr })).toMatchInlineSnapshot(`
      "prod/stuck
        state     ROTATION_FAILED
        since     2030-01-01 09:00 UTC (2 d)
        next      2030-01-31 23:59 UTC
        function  arn:aws:lambda:us-east-1:000000000000:function:fails
        versions  VERSION-1 AWSCURRENT
                  VERSION-2 AWSPENDING
        then      quarterturn cancel prod/stuck --clear-pending --endpoint-url http://HOST
      ---
      "
    `);
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
          "rotationEnabled": true,
          "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:fails",
          "schedule": {
            "automaticallyAfterDays": 30
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

  test.each([
    [{ nextRotation: new Date("2030-01-03T09:59:59Z") }, true],
    [{ nextRotation: new Date("2030-01-03T10:00:01Z") }, false],
    [{ nextRotation: new Date("2030-01-03T09:59:59Z"), rotationEnabled: false }, false],
    [{ schedule: { automaticallyAfterDays: 2 }, lastRotated: new Date("2029-12-31T09:00:00Z") }, true],
    [{ schedule: { automaticallyAfterDays: 2 }, lastRotated: new Date("2029-12-31T11:00:00Z") }, false],
    [{ schedule: { automaticallyAfterDays: 2 }, created: new Date("2029-12-31T09:00:00Z") }, true],
    [{}, false],
  ])("%j is overdue on the third at ten: %s", (dates, expected) => {
    const secret = {
      id: "a",
      name: "a",
      arn: "a",
      state: "CONFIGURED_NOT_ROTATING",
      versions: {},
      rotationEnabled: true,
    } as const;
    expect(isOverdue({ ...secret, ...dates }, new Date("2030-01-03T10:00:00Z"))).toBe(expected);
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

test("2,000 secrets: all pages of the list are read, and every secret is asked about", {
  timeout: 60_000,
}, async () => {
  await using many = await startService();
  const names = Array.from({ length: 2_000 }, (_, i) => `many/${i}`);
  await pLimit(40).map(names, (Name) => many.sm.createSecret({ Name, SecretString: "value" }));
  const { code, stdout, stderr } = await quarterturnAt(many.local)("status --all");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trim().split("\n");
  expect(lines.slice(1, -3)).toHaveLength(2_000);
  expect(lines.slice(-2)).toEqual(["2000 secrets", "  2000 NOT_CONFIGURED"]);
  const calls = (operation: string) => many.local.events.filter(({ name }) => name === operation).length;
  expect([calls("ListSecrets"), calls("DescribeSecret")]).toEqual([20, 2_000]);
});
