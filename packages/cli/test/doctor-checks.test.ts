/** What the checks of `doctor` say of facts about the secret, its function and its labels, without AWS or a database. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { applications } from "../src/applications.ts";
import { contextOf } from "../src/context.ts";
import { examine } from "../src/doctor/check.ts";
import { rotationFunction } from "../src/doctor/checks/function.ts";
import { invocation } from "../src/doctor/checks/invocation.ts";
import { key } from "../src/doctor/checks/key.ts";
import { pending } from "../src/doctor/checks/pending.ts";
import { role } from "../src/doctor/checks/role.ts";
import { schedule } from "../src/doctor/checks/schedule.ts";
import { secret } from "../src/doctor/checks/secret.ts";
import { checks } from "../src/doctor/checks.ts";
import { read, seen } from "../src/doctor/seen.ts";
import type { Io } from "../src/io.ts";
import { database, factsWith, functionArn, functionWith, say, secretArn, unseen } from "./doctor-facts.ts";

test("a check whose needs have not passed is not looked at, and one that is nothing to the secret says why", () => {
  const found = examine(checks, factsWith({ value: unseen, server: { addresses: [], connection: "connected" } }));
  const of = (name: string) => found.find(({ check }) => check === name);
  expect(of("secret")).toMatchObject({ is: "not known", what: "you may not" });
  expect(of("DNS")).toMatchObject({ is: "not looked at", what: 'it takes that "secret" passes' });
  expect(of("login")).toMatchObject({ is: "not looked at", what: 'it takes that "TCP" passes' });
  expect(of("admin")).toMatchObject({ is: "not looked at", what: expect.stringMatching(/^single-user/) });
});

test("where no function is set, that is to be done once; a service that manages the secret has a schedule without one", () => {
  const none = { value: unseen, rotationFunction: undefined };
  const found = examine(checks, factsWith(none));
  expect(found.flatMap((each) => ("fix" in each ? [each.fix] : []))).toEqual(["quarterturn enable shop"]);
  const rotationRules = { rotationEnabled: true, schedule: { automaticallyAfterDays: 7 } };
  const managed = { arn: secretArn, owningService: "rds", versions: {}, ...rotationRules };
  const ofService = examine(checks, factsWith({ ...none, secret: managed }));
  expect(ofService.find(({ check }) => check === "schedule")).toMatchObject({ is: "pass" });
});

test("every check comes after those that it needs, and has a name of its own", () => {
  for (const [i, { needs = [] }] of checks.entries())
    for (const need of needs) expect(checks.indexOf(need)).toSatisfy((at: number) => at >= 0 && at < i);
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
});

test("the README has a row for each check, in their order", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, table = ""] = readme.split("| check | passes where |\n| --- | --- |\n");
  const rows = [...(table.split("\n\n")[0] ?? "").matchAll(/^\| ([^|]+) \|/gm)];
  expect(rows.map(([, name]) => name)).toEqual(checks.map(({ name }) => name));
});

describe("secret", () => {
  test.each([
    [database(), "pass | PostgreSQL: engine, host, and 1 more"],
    [unseen, "not known | you may not"],
    [
      seen({ is: "wrong", what: "host is missing" }),
      "fail | host is missing | Store a value that can be used: aws secretsmanager put-secret-value --secret-id shop --secret-string file://FILE",
    ],
    [
      seen({ is: "of no database known here", namesEngine: false }),
      'not known | the value names no database that is known here (no "engine") | If it is one of those in quarterturn apps, put its "engine" into the JSON.',
    ],
    [
      seen({ is: "no JSON" }),
      "not known | the value is not a JSON object, so it names no database | If it is for one of those in quarterturn apps, store its JSON: aws secretsmanager put-secret-value --secret-id shop --secret-string file://FILE",
    ],
  ])("%#", (value, said) => expect(say(secret, { value })).toBe(said));

  test("that is not JSON, and a function of an application would rotate, fails", () => {
    const [application] = applications;
    expect(say(secret, { application, value: seen({ is: "no JSON" }) })).toMatch(
      /^fail \| the value is not a JSON object \| Store a value that can be used: aws secretsmanager put-secret-value /,
    );
  });

  test("that a service of AWS manages is that service's, engine or not", () => {
    const secretOfRds = { ...factsWith({}).secret, owningService: "rds" };
    for (const it of [
      { is: "of no database known here", namesEngine: false },
      { is: "no JSON" },
      { is: "wrong", what: "" },
    ])
      expect(say(secret, { secret: secretOfRds, value: seen(it) })).toBe(
        "not looked at | rds manages this secret and its value",
      );
    expect(say(secret, { secret: secretOfRds })).toMatch(/^pass \| PostgreSQL/);
  });

  test("that is marked for deletion fails, whatever its value is", () => {
    const deleted = { ...factsWith({}).secret, deleted: new Date("2030-02-05T10:00:00Z") };
    expect(say(secret, { secret: deleted, value: unseen })).toBe(
      "fail | marked for deletion, so nobody can read it | If it is needed: aws secretsmanager restore-secret --secret-id shop",
    );
  });
});

describe("function", () => {
  const fixed = "Correct that, and deploy it again.";
  test.each<[object, string]>([
    [{}, "pass | shop-rotation is Active"],
    [{ State: "Failed", StateReason: "no subnet" }, `fail | shop-rotation is Failed: no subnet | ${fixed}`],
    [
      { LastUpdateStatus: "Failed", LastUpdateStatusReason: "no key" },
      `fail | the last change of shop-rotation failed: no key | ${fixed}`,
    ],
    [{ State: "Pending" }, "not known | shop-rotation is being changed | Look again in a minute."],
    [{ LastUpdateStatus: "InProgress" }, "not known | shop-rotation is being changed | Look again in a minute."],
    [
      { State: "Inactive" },
      "pass | shop-rotation is Inactive | It was idle for long: a first invocation fails, and the service tries again.",
    ],
  ])("%j", (configuration, said) => {
    expect(say(rotationFunction, { rotationFunction: functionWith(configuration) })).toBe(said);
  });

  test("one of an application's functions that is for another engine, or for an admin that nobody names, fails", () => {
    const of = (strategy: string, title: string, configuration = {}, value = database()) =>
      say(rotationFunction, {
        application: applications.find((each) => each.rotates === title && each.strategy === strategy),
        rotationFunction: functionWith(configuration),
        value,
      });
    expect(of("single-user", "PostgreSQL")).toBe("pass | shop-rotation is Active");
    expect(of("single-user", "Redshift")).toBe(
      'fail | shop-rotation cannot rotate the secret: it is for Redshift (redshift), and the secret is of "postgres" | Set another, or correct that: quarterturn enable shop',
    );
    expect(of("multi-user", "PostgreSQL")).toMatch(/^fail \| .* neither the secret \("masterarn"\) nor the function/);
    const named = { Environment: { Variables: { SUPERUSER_SECRET_ARN: "arn" } } };
    expect(of("multi-user", "PostgreSQL", named)).toBe("pass | shop-rotation is Active");
    const unread = { Environment: { Error: { Message: "no key" } } };
    expect(of("multi-user", "PostgreSQL", unread)).toBe("pass | shop-rotation is Active");
    expect(of("single-user", "Redshift", {}, unseen)).toBe("pass | shop-rotation is Active");
  });

  test("a version or an alias of it is said", () => {
    const found = say(rotationFunction, { rotationFunction: { ...functionWith({}), arn: `${functionArn}:live` } });
    expect(found).toMatch(/^pass \| shop-rotation is Active \| The secret names a version or an alias/);
  });

  test("none, one that is gone, and one that another service has no need of", () => {
    expect(say(rotationFunction, { rotationFunction: undefined })).toBe(
      "fail | no rotation function is set | quarterturn enable shop",
    );
    expect(say(rotationFunction, { rotationFunction: { ...functionWith({}), configuration: seen(undefined) } })).toBe(
      `fail | ${functionArn} does not exist | Deploy it again, or set another: quarterturn enable shop`,
    );
    const replica = { arn: secretArn, primaryRegion: "us-east-1", versions: {} };
    const elsewhere = examine(checks, factsWith({ secret: replica, rotationFunction: undefined }));
    for (const name of ["function", "AWSPENDING", "schedule"])
      expect(elsewhere.find(({ check }) => check === name)).toMatchObject({
        is: "not looked at",
        what: "a replica, which is rotated in us-east-1: look there",
      });
    expect(rotationFunction.moot?.(factsWith({ secret: { ...replica, primaryRegion: "eu-central-1" } }))).toBe(
      undefined,
    );
    const managed = { secret: { arn: secretArn, owningService: "rds" }, rotationFunction: undefined };
    expect(say(rotationFunction, managed)).toBe("not looked at | rds rotates this secret itself");
  });
});

describe("invocation", () => {
  const statement = (changes: object) => ({
    Effect: "Allow",
    Principal: { Service: "secretsmanager.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    ...changes,
  });
  const only = (key: string, value: string, operator = "StringEquals") =>
    statement({ Condition: { [operator]: { [key]: value } } });
  const command = `aws lambda add-permission --function-name ${functionArn} --statement-id secrets-manager --action lambda:InvokeFunction --principal secretsmanager.amazonaws.com --source-account 111122223333`;
  const mine = "pass | Secrets Manager may invoke the function for account 111122223333";
  const others = `fail | the function's policy lets Secrets Manager invoke it for others than 111122223333 or this secret | ${command}`;
  const nobody = `fail | the function's policy does not let Secrets Manager invoke it | ${command}`;
  const good = only("aws:SourceAccount", "111122223333");
  const denies = (...of: Parameters<typeof only>) => ({ ...only(...of), Effect: "Deny" });
  const denied = "fail | the function's policy denies it to Secrets Manager | Take that statement out of it.";
  const vaguelyDenied = "not known | the function's policy denies it under conditions that are not understood here";
  const vague = "not known | the function's policy has conditions that are not understood here";

  test.each<[object[], string]>([
    [[], nobody],
    [[only("AWS:SourceAccount", "111122223333")], mine],
    [[statement({ Principal: { Service: ["events.amazonaws.com"] } })], nobody],
    [[statement({ Action: ["lambda:GetFunction"] })], nobody],
    [[{ ...only("aws:SourceAccount", "111122223333"), Principal: "*" }], mine],
    [[{ ...only("aws:SourceAccount", "999999999999"), Effect: "Deny" }], nobody],
    [[only("aws:SourceAccount", "999999999999")], others],
    [[only("aws:SourceAccount", "1111*")], others],
    [[only("aws:SourceArn", `${secretArn.slice(0, -6)}*`, "ArnLike")], mine],
    [[only("aws:SourceArn", "arn:aws:secretsmanager:*:*:secret:stock-*", "ArnLike")], others],
    [[only("aws:PrincipalOrgID", "o-1")], vague],
    [[only("aws:SourceAccount", "111122223333", "StringNotEquals")], others],
    [[only("aws:SourceArn", `${secretArn.slice(0, -6)}*`, "ArnNotLike")], others],
    [[good, denies("aws:SourceAccount", "111122223333", "StringNotEquals")], mine],
    [[good, denies("aws:SourceAccount", "999999999999")], mine],
    [[good, denies("aws:SourceAccount", "999999999999", "StringNotEquals")], denied],
    [[good, denies("aws:SourceAccount", "1111*", "StringNotEquals")], denied],
    [[good, denies("aws:PrincipalOrgID", "o-1", "StringNotEquals")], vaguelyDenied],
    [[denies("aws:PrincipalOrgID", "o-1", "StringNotEquals")], nobody],
    [[only("aws:SourceAccount", "999999999999"), only("aws:SourceAccount", "111122223333")], mine],
    [[good, statement({ Effect: "Deny" })], denied],
  ])("%j", (statements, said) => {
    expect(say(invocation, { rotationFunction: functionWith({}, { Statement: statements }) })).toBe(said);
  });

  test("without a condition it works, and the command for a better one is said", () => {
    const found = say(invocation, {
      rotationFunction: functionWith({}, { Statement: statement({ Action: "lambda:*" }) }),
    });
    expect(found).toMatch(/^pass \| Secrets Manager may invoke the function \| .*aws:SourceAccount/);
    expect(found).toContain(command);
  });

  test("no policy, one that may not be read, one that means nothing", () => {
    expect(say(invocation, { rotationFunction: functionWith({}) })).toBe(nobody);
    expect(say(invocation, { rotationFunction: { ...functionWith({}), policy: unseen } })).toBe(
      "not known | you may not",
    );
    expect(say(invocation, { rotationFunction: { ...functionWith({}), policy: seen("<policy>") } })).toBe(
      "not known | the function's policy is not understood here",
    );
  });
});

describe("role", () => {
  const arn = "arn:aws:iam::111122223333:role/rotation/shop-role";
  const lacks = (action: string, is = "denied", by?: string) => ({
    action,
    resource: "it",
    why: "the secret",
    is,
    by,
  });
  test.each([
    [seen([]), "pass | shop-role may do all that this rotation takes"],
    [
      seen([lacks("a:B"), lacks("a:C")]),
      "fail | shop-role may not a:B, a:C | Allow it on it (the secret): docs/permissions.md has the policies.",
    ],
    [
      seen([lacks("a:B"), lacks("a:C", "denied", "its permissions boundary")]),
      "fail | shop-role may not a:B, a:C | Allow it on it (the secret): docs/permissions.md has the policies. What stands against it on it (the secret) is its permissions boundary: change that.",
    ],
    [
      seen([lacks("a:C", "spare"), lacks("a:B", "undecided", "aws:vpce")]),
      "not known | a:B of shop-role hangs on aws:vpce",
    ],
    [
      seen([lacks("a:B", "spare"), lacks("a:C", "spare")]),
      "pass | shop-role may do all that this rotation takes | A rotation works without, but better allow a:B, a:C on it (the secret).",
    ],
    [unseen, "not known | you may not"],
  ])("%j", (lacking, said) => expect(say(role, { role: { arn, lacking, unseen: [] } })).toBe(said));

  test("what was not seen may need more, and what is lacking already is said all the same", () => {
    const of = (lacking: object[]) => say(role, { role: { arn, lacking: seen(lacking), unseen: ["a (why)", "b"] } });
    expect(of([])).toBe("not known | as far as seen shop-role may do what this rotation takes; not seen: a (why), b");
    expect(of([lacks("a:B")])).toMatch(/^fail \| shop-role may not a:B/);
  });

  test.each<[object | undefined, string]>([
    [undefined, "pass | aws/secretsmanager, which needs no permission"],
    [
      { metadata: seen({ KeyState: "Enabled" }), lacking: seen([]) },
      "pass | shop-role may use it, by its own policies; it is enabled",
    ],
    [{ metadata: seen({ KeyState: "Enabled" }), lacking: unseen }, "not known | enabled; you may not"],
    [
      { metadata: seen({ KeyState: "Enabled" }), lacking: seen([lacks("kms:Decrypt")]) },
      "fail | shop-role may not kms:Decrypt | Allow it on it (the secret): docs/permissions.md has the policies.",
    ],
    [{ metadata: seen({ KeyState: "Disabled" }) }, "fail | k is Disabled | aws kms enable-key --key-id k"],
    [
      { metadata: seen({ KeyState: "PendingDeletion" }) },
      "fail | k is PendingDeletion | aws kms cancel-key-deletion --key-id k, then aws kms enable-key --key-id k",
    ],
    [
      { metadata: seen(undefined) },
      "fail | k does not exist | Without it the value cannot be read. Give the secret another key, and store its value anew.",
    ],
    [{ metadata: unseen }, "not known | you may not"],
  ])("and the key: %j", (found, said) => {
    const of = found && { kmsKeyId: "k" };
    expect(say(key, { secret: { arn: secretArn, ...of }, key: found, role: { arn } })).toBe(said);
  });
});

describe("labels and schedule", () => {
  const versions = { one: ["AWSCURRENT"], two: ["AWSPENDING"] };
  const lastChanged = new Date("2030-01-29T09:00:00Z");
  test.each<[object, string]>([
    [{ versions: { one: ["AWSCURRENT", "AWSPENDING"] } }, "pass | no rotation is unfinished"],
    [{ versions, lastChanged, state: "ROTATION_IN_PROGRESS" }, "pass | a rotation to version two is in progress"],
    [
      { versions, lastChanged, state: "ROTATION_FAILED" },
      "fail | stuck for 2 d: version two | It blocks every later rotation. When the reason is gone: quarterturn cancel shop --clear-pending",
    ],
  ])("AWSPENDING: %j", (of, said) => expect(say(pending, { secret: of })).toBe(said));

  const monthly = { rotationEnabled: true, schedule: { automaticallyAfterDays: 30 } };
  test.each<[object, string]>([
    [{}, "fail | rotation was never turned on | quarterturn enable shop"],
    [{ rotationEnabled: false }, "fail | rotation is off | Turn it on: quarterturn rotate shop --wait"],
    [{ rotationEnabled: true }, "fail | there is none: it rotates only when it is told to | quarterturn enable shop"],
    [
      { ...monthly, lastRotated: lastChanged, nextRotation: new Date("2030-02-28T23:59:59Z") },
      "pass | every 30 days, last on 2030-01-29, next by 2030-02-28",
    ],
    [{ rotationEnabled: true, schedule: { expression: "rate(4 hours)" } }, "pass | rate(4 hours), not rotated yet"],
    [
      { ...monthly, lastRotated: new Date("2029-12-01T00:00:00Z"), nextRotation: new Date("2029-12-31T23:59:59Z") },
      "fail | overdue: every 30 days, last on 2029-12-01 | See what fails: quarterturn rotate shop --wait",
    ],
  ])("schedule: %j", (of, said) => expect(say(schedule, { secret: { versions: {}, ...of } })).toBe(said));
});

test("what keeps from reading is an answer, and a bug is not", async () => {
  const context = contextOf({ signal: new AbortController().signal } as Io, { region: "eu-central-1" });
  const reading = (error: Error) => read(context, "a:B", "shop", async () => Promise.reject(error));
  const answers = (name: string) => Object.assign(new Error("It said."), { name, $metadata: {} });
  expect(await reading(answers("NotFoundException"))).toEqual({ is: "seen", it: undefined });
  expect(await reading(answers("UnauthorizedOperation"))).toEqual({ is: "unseen", why: "you may not a:B" });
  expect(await reading(answers("InternalError"))).toEqual({ is: "unseen", why: "a:B ends with: It said" });
  await expect(reading(new TypeError("undefined is not a function"))).rejects.toThrow(TypeError);
});
