import { readdir, readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { applicationOf, applications } from "../src/applications.ts";
import { quarterturn, quarterturnAt, steady } from "./command-line.ts";
import { type ImitatedLambda, startImitatedLambda } from "./imitated-lambda.ts";
import { type Service, startService } from "./secrets-manager.ts";

let service: Service;
let aws: ImitatedLambda;
let names = 0;
/** What was asked of Secrets Manager by anybody, without what reads only. */
let changes: string[];
let stopWatching: () => void;

const describing = (product: string, who = "the user changes its own password.") => ({
  Description: `Rotates the password of a ${product} user whose secret is in AWS Secrets Manager: ${who}`,
});
const alternating = "an admin alternates between two users, so that no login is refused.";

beforeAll(async () => {
  service = await startService();
  aws = await startImitatedLambda(service.local.url, service.local.functionArn);
});
beforeEach(() => {
  aws.onAnswer = async (_, answer) => answer;
  aws.functions = { another: {}, works: describing("PostgreSQL"), "of-mysql": describing("MySQL") };
  changes = [];
  stopWatching = service.local.onEvent((event) => {
    if (event.kind === "api-call" && !/^(Describe|Get|List)/.test(event.name)) changes.push(event.name);
    if (event.kind === "invocation") changes.push(event.name);
  });
});
afterEach(async () => {
  stopWatching();
  await service.local.settled();
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const run = (line: string | readonly string[], surroundings?: Parameters<typeof quarterturn>[1]) =>
  quarterturn([...(typeof line === "string" ? line.split(" ") : line), "--endpoint-url", aws.url], surroundings);
const arnOf = (name: string) => service.local.functionArn(name);

/** A secret of a PostgreSQL, without rotation. */
async function create(keys: object = {}): Promise<string> {
  const Name = `app${++names}`;
  const value = { engine: "postgres", host: "db", username: "app", password: "the-password", ...keys };
  await service.sm.createSecret({ Name, SecretString: JSON.stringify(value) });
  changes = [];
  return Name;
}

/** One that rotates every ten days, but by the function `fails`. */
async function createRotating(): Promise<string> {
  const SecretId = await create();
  const RotationRules = { ScheduleExpression: "rate(10 days)", Duration: "2h" };
  await service.sm.rotateSecret({ SecretId, RotationLambdaARN: "fails", RotationRules, RotateImmediately: false });
  await service.local.settled(SecretId);
  changes = [];
  return SecretId;
}

const steadily = (ran: Parameters<typeof steady>[0]) =>
  steady(ran).replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, "TIME");

describe("enable", () => {
  test("finds the function by the secret's engine, sets it and every 30 days, and rotates", async () => {
    const secret = await create();
    const ran = await run(`enable ${secret} --yes`);
    expect(steadily(ran)).toMatchInlineSnapshot(`
      "Rotation of SECRET is on.
      It rotates now. See how far it is: quarterturn status SECRET --endpoint-url http://HOST
      The next one is by TIME.
      ---
      Function: arn:aws:lambda:us-east-1:000000000000:function:works (PostgreSQL, single-user)
      Schedule: every 30 days
      Now: the secret is rotated at once, which changes its value
      Next: in the window from TIME to TIME
      "
    `);
    expect(ran.code).toBe(0);
    await service.local.settled(secret);
    expect(await service.sm.describeSecret({ SecretId: secret })).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: arnOf("works"),
      RotationRules: { AutomaticallyAfterDays: 30 },
      LastRotatedDate: expect.any(Date),
    });
    expect(ran.stdout + ran.stderr).not.toContain("the-password");
  });

  test("--not-now makes the test call alone; the schedule is the one that was given", async () => {
    const secret = await create();
    const words = ["enable", secret, "--yes", "--not-now", "--schedule", "cron(0 2 ? * SUN *)", "--window", "3h"];
    const ran = await run(words);
    expect(ran.code).toBe(0);
    expect(steadily(ran)).toMatchInlineSnapshot(`
      "Rotation of SECRET is on.
      The next one is by TIME.
      How the test went is in the log of works alone (testSecret). To rotate: quarterturn rotate SECRET --wait --endpoint-url http://HOST
      ---
      Function: arn:aws:lambda:us-east-1:000000000000:function:works (PostgreSQL, single-user)
      Schedule: cron(0 2 ? * SUN *), in a window of 3h
      Now: nothing is rotated; AWS makes a test call of the function (testSecret alone)
      Next: in the window from TIME to TIME
      "
    `);
    await service.local.settled(secret);
    expect(changes.filter((each) => each.endsWith("Secret"))).toEqual(["RotateSecret", "testSecret"]);
    expect(await service.sm.describeSecret({ SecretId: secret })).toMatchObject({
      RotationRules: { ScheduleExpression: "cron(0 2 ? * SUN *)", Duration: "3h" },
      NextRotationDate: expect.any(Date),
    });
  });

  test("--wait follows the rotation as rotate does, and --json is the whole of it", async () => {
    const secret = await create();
    const { code, stdout } = await run(`enable ${secret} --yes --wait --days 7 --json`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      name: secret,
      functionArn: arnOf("works"),
      schedule: { automaticallyAfterDays: 7 },
      outcome: "current",
      signs: expect.arrayContaining([expect.objectContaining({ is: "labels" })]),
    });
    const unfollowed = await run(`enable ${await create()} --yes --json`);
    expect(Object.keys(JSON.parse(unfollowed.stdout)).sort()).toEqual(Object.keys(JSON.parse(stdout)).sort());
  });

  test("where nothing can be asked of AWS afterwards, it says that rotation is on", async () => {
    let isOn = false;
    aws.onAnswer = async (operation, answer) => {
      if (operation === "RotateSecret") isOn = true;
      return isOn && operation === "DescribeSecret" ? { __type: "ExpiredTokenException" } : answer;
    };
    const secret = await create();
    const ran = await run(`enable ${secret} --yes`);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(
      `quarterturn: The AWS session has expired. Rotation of "${secret}" was turned on. See how it is: quarterturn status ${secret} `,
    );
  });

  test("says what it changes of an existing configuration, which is kept where nothing is said about it", async () => {
    const secret = await createRotating();
    aws.functions = { ...aws.functions, fails: {} };
    const kept = await run(`enable ${secret}`);
    expect(kept.stderr).toContain(
      `Function: ${arnOf("fails")} (whether it is for this secret is not known)\nSchedule: rate(10 days), in a window of 2h\n`,
    );
    expect(kept.stderr).not.toContain("instead of");
    const changed = await run(`enable ${secret} --function works --window 3h --not-now`);
    expect(changed.stderr).toContain(
      `Function: ${arnOf("works")} (PostgreSQL, single-user), instead of ${arnOf("fails")}\n`,
    );
    expect(changed.stderr).toContain(
      "Schedule: rate(10 days), in a window of 3h, instead of rate(10 days), in a window of 2h\n",
    );
    expect(changed.stderr).toContain("A rotation that was due already may still take place at once");
    const replaced = await run(`enable ${secret} --days 1`);
    expect(replaced.stderr).toContain("Schedule: every day, instead of rate(10 days), in a window of 2h\n");
    expect(changes).toEqual([]);
  });

  test("rules that say no time are none", async () => {
    aws.onAnswer = async (operation, answer) =>
      operation === "DescribeSecret" ? { ...answer, RotationRules: { Duration: "2h" } } : answer;
    const { stderr } = await run(`enable ${await create()}`);
    expect(stderr).toContain("Schedule: every 30 days\n");
  });

  test("without a terminal wants --yes, and with one takes no for an answer", async () => {
    const secret = await create();
    const unasked = await run(`enable ${secret}`);
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("run it again with --yes") });
    const no = await run(`enable ${secret}`, { key: "n" });
    expect(no).toMatchObject({ code: 3, stderr: expect.stringContaining("the answer was no") });
    expect(changes).toEqual([]);
  });

  test("where the secret was changed while the question stood there, nothing is done", async () => {
    const secret = await create();
    let asked = 0;
    aws.onAnswer = async (operation, answer) => {
      const isFirst = operation === "DescribeSecret" && ++asked === 1;
      if (isFirst) await service.sm.putSecretValue({ SecretId: secret, SecretString: "stored by hand" });
      return answer;
    };
    const ran = await run(`enable ${secret} --yes --function works`);
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("the secret was changed meanwhile") });
    expect(changes).toEqual(["PutSecretValue"]);
  });

  test("nor where somebody has turned rotation off meanwhile", async () => {
    const secret = await createRotating();
    const key = async () => {
      await service.sm.cancelRotateSecret({ SecretId: secret });
      return "y";
    };
    const ran = await run(`enable ${secret} --function works --not-now`, { key });
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("the secret was changed meanwhile") });
    expect(changes).toEqual(["CancelRotateSecret"]);
  });
});

test("labels that the service lists in another order are no change", async () => {
  const secret = await create();
  const { VersionIdsToStages: versions = {} } = await service.sm.describeSecret({ SecretId: secret });
  const [version = ""] = Object.keys(versions);
  let asked = 0;
  aws.onAnswer = async (operation, answer) => {
    if (operation !== "DescribeSecret") return answer;
    const labels = ["AWSCURRENT", "blue"];
    return { ...answer, VersionIdsToStages: { [version]: asked++ === 0 ? labels : labels.toReversed() } };
  };
  expect(await run(`enable ${secret} --yes --not-now`)).toMatchObject({ code: 0 });
  expect(asked).toBeGreaterThan(1);
});

describe("the function", () => {
  test("where none is known to fit, says how to get or name one", async () => {
    const { ARN } = await service.sm.describeSecret({ SecretId: await create({ engine: "redshift" }) });
    const ran = await run(`enable ${ARN} --yes`);
    expect(ran).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^quarterturn: No function in us-east-1 is known to rotate a secret of "redshift"\. Deploy one of Quarterturn's \(quarterturn apps\), or name your own: quarterturn enable arn:aws:secretsmanager:\S+:app\S+ --function NAME .*\n$/,
      ),
    });
  });

  test("where there are several, names them, and lets somebody at a terminal choose", async () => {
    const secret = await create({ masterarn: "arn:of:an:admin" });
    aws.functions = { fails: describing("PostgreSQL", alternating), works: describing("PostgreSQL") };
    const alone = await run(`enable ${secret} --yes`);
    expect(alone).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Several functions can rotate"),
    });
    expect(alone.stderr).toContain(": fails (multi-user), works (single-user). Name one: quarterturn enable");
    expect(changes).toEqual([]);
    const chosen = await run(`enable ${secret} --yes --not-now --json`, { key: "\u001b[B\r" });
    expect(chosen.stderr).toContain("Which function is to rotate");
    expect(JSON.parse(chosen.stdout)).toMatchObject({ functionArn: arnOf("works"), outcome: "tested", version: null });
    await service.local.settled(secret);
    expect(await run(`enable ${await create()} --yes`, { key: "\u0003" })).toMatchObject({ code: 130 });
  });

  test.each([
    [
      "of another engine",
      {},
      "of-mysql",
      'it is for MySQL (mysql, aurora-mysql, mariadb), and the secret is of "postgres"',
    ],
    ["that alternates, without an admin", {}, "alternates", "it alternates between two users, and neither the secret"],
    [
      "that is not there",
      {},
      "none --region us-east-1",
      "There is no function arn:aws:lambda:us-east-1:000000000000:function:none. See those that there are: aws lambda list-functions --query 'Functions[].FunctionName' --region us-east-1 --endpoint-url http://",
    ],
    [
      "of another Region",
      {},
      "arn:aws:lambda:eu-central-1:000000000000:function:works",
      'is in eu-central-1, and "SECRET" in us-east-1',
    ],
    ["that is no function", {}, "arn:aws:s3:::bucket", "is neither the name of a function nor its ARN"],
    ["for a value without a host", { host: undefined }, "works", "host is missing"],
  ])("%s is refused", async (_, keys, name, words) => {
    aws.functions = {
      ...aws.functions,
      alternates: {
        ...describing("PostgreSQL", alternating),
        Environment: { Variables: { SUPERUSER_SECRET_ARN: "" } },
      },
    };
    const secret = await create(keys);
    const ran = await run(`enable ${secret} --yes --function ${name}`);
    expect(ran.code).toBeOneOf([2, 3]);
    expect(ran.stderr).toContain(words.replace("SECRET", secret));
    expect(changes).toEqual([]);
  });

  test.each([
    ["the secret names", { masterarn: "arn" }, ""],
    ["the function names", {}, "arn"],
  ])("one that alternates is taken where %s the admin", async (_, keys, SUPERUSER_SECRET_ARN) => {
    const Environment = { Variables: { SUPERUSER_SECRET_ARN } };
    aws.functions = { works: { ...describing("PostgreSQL", alternating), Environment } };
    const secret = await create(keys);
    const ran = await run(`enable ${secret} --yes --not-now`);
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining("(PostgreSQL, multi-user)") });
  });

  test("that the secret has, and that was deleted, is looked for anew", async () => {
    const secret = await createRotating();
    const ran = await run(`enable ${secret} --yes --not-now`);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(`Its function was deleted: ${arnOf("fails")}\nFunction: ${arnOf("works")} `);
  });

  test("that Secrets Manager may not invoke: the command that allows it", async () => {
    const secret = await create();
    const ran = await run(`enable ${secret} --yes --function another --region us-east-1`);
    expect(ran).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(
        `aws lambda add-permission --function-name ${arnOf("another")} --statement-id SecretsManager --action lambda:InvokeFunction --principal secretsmanager.amazonaws.com --source-account 000000000000 --region us-east-1 --endpoint-url ${aws.url};`,
      ),
    });
  });

  test("where Lambda does not answer, must be named, and is taken as it is", async () => {
    const secret = await create({ engine: undefined });
    const here = quarterturnAt(service.local);
    expect(await here(`enable ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('has no "engine"'),
    });
    expect(await here(`enable ${await create()} --yes`)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("Lambda does not say which functions there are"),
    });
    const ran = await here(`enable ${secret} --yes --function works --not-now`);
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining("The function could not be looked at") });
  });

  test("of every application of a database is known by its description in the template", async () => {
    const folder = new URL("../../../sam-templates/", import.meta.url);
    const found = [];
    for (const name of (await readdir(folder)).filter((each) => !each.includes("."))) {
      const template = await readFile(new URL(`${name}/template.yaml`, folder), "utf8");
      const [, description = '""'] = /^ {6}Description: (".*")$/m.exec(template) ?? [];
      const application = applicationOf(JSON.parse(description));
      if (application) found.push([`quarterturn-${name}`, application.name]);
    }
    expect(found.map(([name]) => name)).toEqual(found.map(([, known]) => known));
    const ofDatabases = applications.filter(({ engines }) => engines.length > 0);
    expect(found.map(([, known]) => known).sort()).toEqual(ofDatabases.map(({ name }) => name).sort());
  });
});

describe("what the service would refuse is refused", () => {
  test.each([
    [["--days", "7", "--schedule", "rate(7 days)"], /'--days <N>' cannot be used with option '--schedule/],
    [["--days", "0"], /a whole number of days, 1 to 1000/],
    [["--window", "3"], /a number of hours and an h/],
    [["--schedule", "rate(1 hour)"], /every four hours at most/],
    [["--schedule", "rate(10 days)", "--window", "25h"], /must not extend into the next UTC day/],
    [["--schedule", "rate(4 hours)", "--window", "5h"], /must not extend into the next rotation window/],
    [["--schedule", "every day"], /neither rate\(VALUE UNIT\) nor cron\(SIX FIELDS\)/],
    [["--not-now", "--wait"], /'--wait' cannot be used with option '--not-now'/],
  ])("%j, before AWS is asked", async (options, words) => {
    const ran = await run(["enable", "none", "--yes", ...options]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(words);
    expect(ran.stderr).toMatch(/^quarterturn: [^\n]+\n$/);
  });

  test("a window that does not fit into the schedule that the secret has", async () => {
    const secret = await createRotating();
    const ran = await run(`enable ${secret} --yes --window 25h --function works`);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining("must not extend into the next UTC day") });
    expect(changes).toEqual([]);
  });

  test("of a secret that a service of AWS manages", async () => {
    const secret = await create();
    aws.onAnswer = async (operation, answer) =>
      operation === "DescribeSecret" ? { ...answer, OwningService: "rds" } : answer;
    expect(await run(`enable ${secret} --yes`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/was left as it is: rds manages it, and rotates it itself/),
    });
    expect(changes).toEqual([]);
  });

  test("while a rotation is not finished", async () => {
    const secret = await create();
    await service.sm.rotateSecret({ SecretId: secret, RotationLambdaARN: "fails" });
    await service.local.settled(secret);
    changes = [];
    const ran = await run(`enable ${secret} --yes`);
    expect(ran).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/is not finished.*cancel app\d+ --clear-pending/),
    });
    expect(changes).toEqual([]);
  });
});
