/** `doctor` as it is run: a real PostgreSQL, the local endpoint, and Lambda, IAM, EC2 and KMS as played-account.ts imitates them. */
import { readFile } from "node:fs/promises";
import { startPostgres } from "@quarterturn-tools/engines";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { quarterturnAt, type Ran, type Surroundings, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";
import { type ImitatedAws, startImitatedAws } from "./imitated-aws.ts";
import { type PlayedAccount, playing } from "./played-account.ts";

let database: Database;
let aws: ImitatedAws;
beforeAll(async () => {
  database = await startDatabase();
  aws = await startImitatedAws(database.service.local.url, "any");
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const account = "000000000000";
const invokes = {
  Effect: "Allow",
  Principal: { Service: "secretsmanager.amazonaws.com" },
  Action: "lambda:InvokeFunction",
  Condition: { StringEquals: { "AWS:SourceAccount": account } },
};
const everywhere = { ipProtocol: "-1", ipRanges: [{ cidrIp: "0.0.0.0/0" }] };

/** An account in which a rotation of the test's database works: in a VPC, with an endpoint and a key. */
const healthy: PlayedAccount = {
  function: {
    Role: `arn:aws:iam::${account}:role/rotation/shop-rotation`,
    VpcConfig: { VpcId: "vpc-1", SubnetIds: ["subnet-a"], SecurityGroupIds: ["sg-function"] },
    LoggingConfig: { LogGroup: "shop-rotation-log" },
  },
  policy: { Version: "2012-10-17", Statement: [invokes] },
  network: {
    subnetSet: [{ subnetId: "subnet-a", vpcId: "vpc-1", cidrBlock: "10.0.1.0/24" }],
    routeTableSet: [{ vpcId: "vpc-1", associationSet: [{ main: true }], routeSet: [] }],
    vpcEndpointSet: [
      {
        vpcEndpointId: "vpce-1",
        vpcId: "vpc-1",
        serviceName: "com.amazonaws.us-east-1.secretsmanager",
        state: "available",
        privateDnsEnabled: true,
        groupSet: [{ groupId: "sg-endpoint" }],
      },
    ],
    networkInterfaceSet: [
      {
        networkInterfaceId: "eni-1",
        vpcId: "vpc-1",
        privateIpAddress: "10.0.2.5",
        publicIp: "127.0.0.1",
        groupSet: [{ groupId: "sg-db" }],
      },
    ],
    securityGroupInfo: [
      { groupId: "sg-function", ipPermissionsEgress: [everywhere] },
      {
        groupId: "sg-endpoint",
        ipPermissions: [{ ipProtocol: "tcp", fromPort: 443, toPort: 443, ipRanges: [{ cidrIp: "10.0.0.0/16" }] }],
      },
      { groupId: "sg-db", ipPermissions: [{ ipProtocol: "-1", groups: [{ groupId: "sg-function" }] }] },
    ],
  },
  key: { KeyId: "key-1", Arn: `arn:aws:kms:us-east-1:${account}:key/key-1`, KeyState: "Enabled" },
};

/** All that was printed, and the passwords that no line of it may hold. */
let everything = "";
const passwords: string[] = ["boss-password"];

async function doctor(
  secret: string,
  played: PlayedAccount = healthy,
  surroundings: Surroundings = {},
  flags = "",
): Promise<Ran> {
  aws.play = playing(played);
  aws.calls.length = 0;
  const ran = await quarterturnAt(aws)(`doctor ${secret}${flags}`, surroundings);
  everything += ran.stdout + ran.stderr;
  return ran;
}

const lineOf = (stdout: string, check: string) =>
  stdout.split("\n").find((line) => line.slice(2).startsWith(`${check.padEnd(10)}  `)) ?? "";

/** What was printed as the README shows it. */
function shown(ran: Pick<Ran, "stdout" | "stderr">): string {
  const days: string[] = [];
  return steady(ran)
    .replaceAll(/\d{4}-\d\d-\d\d/g, (day) => {
      if (!days.includes(day)) days.push(day);
      return `2030-01-0${days.indexOf(day) + 1}`;
    })
    .replaceAll("SECRET", "app")
    .replaceAll("stops-at-setSecret", "shop-rotation")
    .replaceAll("DATABASE", "db.example:5432")
    .replaceAll("VERSION-1", "da245431-1f0c-4d0a-8f53-3f7e31c1b0d2")
    .replaceAll("localhost is 127.0.0.1", "db.example is 10.0.2.5 (private)")
    .replaceAll(" --endpoint-url http://HOST", "")
    .replaceAll("000000000000", "111122223333");
}

/** A secret with a schedule and a key of its own. */
async function prepared(keys: object = {}): Promise<string> {
  const secret = await database.createSecret(keys);
  const { sm, local } = database.service;
  await sm.updateSecret({ SecretId: secret, KmsKeyId: "key-1" });
  await sm.rotateSecret({ SecretId: secret, RotationRules: { AutomaticallyAfterDays: 30 }, RotateImmediately: false });
  await local.settled(secret);
  passwords.push((await database.value(secret, "AWSCURRENT")).password);
  return secret;
}

const masterarn = async () => (await database.service.sm.describeSecret({ SecretId: "boss" })).ARN;

test("of a rotation that works everything passes, and the exit code is 0", async () => {
  const secret = await prepared({ masterarn: await masterarn() });
  await database.rotate(secret);
  const { code, ...ran } = await doctor(secret);
  expect(code).toBe(0);
  expect(Math.max(...ran.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(shown(ran)).toMatchInlineSnapshot(`
    "✓ secret      PostgreSQL: engine, host, port, username, password, masterarn
    ✓ function    rotates is Active
    ✓ invocation  Secrets Manager may invoke the function for account 111122223333
    ✓ role        shop-rotation may do all that this rotation takes
    ✓ VPC to AWS  through the endpoint vpce-1
    ✓ VPC to DB   security groups let the function through
    ✓ DNS         db.example is 10.0.2.5 (private), on this machine
    ✓ TCP         answers, from this machine
    ✓ TLS         the certificate is verified, from this machine
    ✓ plaintext   nobody needs it
    ✓ login       AWSCURRENT logs in at db.example:5432 (as "app")
    ✓ admin       logs in at db.example:5432 (as "boss"), and may change both users
    ✓ twin        "app_clone" does not exist yet: the first rotation makes it
    ✓ AWSPENDING  no rotation is unfinished
    ✓ schedule    every 30 days, last on 2030-01-01, next by 2030-01-02
    ✓ KMS key     shop-rotation may use it, by its own policies; it is enabled
    ---
    "
  `);
});

test("what is wrong is marked, with what to do below, and the exit code is 7", async () => {
  const secret = await prepared();
  await database.rotate(secret, "stops-at-setSecret");
  await database.setPassword(secret, "another-password");
  const now = () => new Date(Date.now() + 3 * 3_600_000);
  const { code, ...ran } = await doctor(secret, { ...healthy, key: { ...healthy.key, KeyState: "Disabled" } }, { now });
  expect(code).toBe(7);
  expect(shown(ran)).toMatchInlineSnapshot(`
    "✓ secret      PostgreSQL: engine, host, port, username, password
    ✓ function    shop-rotation is Active
    ✓ invocation  Secrets Manager may invoke the function for account 111122223333
    ✓ role        shop-rotation may do all that this rotation takes
    ✓ VPC to AWS  through the endpoint vpce-1
    ✓ VPC to DB   security groups let the function through
    ✓ DNS         db.example is 10.0.2.5 (private), on this machine
    ✓ TCP         answers, from this machine
    ✓ TLS         the certificate is verified, from this machine
    ✓ plaintext   nobody needs it
    ✗ login       AWSCURRENT is refused at db.example:5432 (as "app")
                  → See which version works: quarterturn recover app
    - admin       not looked at: single-user, which has no admin and no twin
    - twin        not looked at: single-user, which has no admin and no twin
    ✗ AWSPENDING  stuck for 3 h: version da245431-1f0c-4d0a-8f53-3f7e31c1b0d2
                  → It blocks every later rotation. When the reason is gone: quarterturn cancel app --clear-pending
    ✓ schedule    every 30 days, not rotated yet, next by 2030-01-01
    ✗ KMS key     key-1 is Disabled
                  → aws kms enable-key --key-id key-1
    ---
    quarterturn: 3 of 16 checks failed. What to do is below each.
    "
  `);
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(shown(ran).split("---\n").join(""));
});

test("it makes the calls that the README says, with every check looked at, and each of them reads", async () => {
  const secret = await prepared({ masterarn: await masterarn() });
  const { code, stdout } = await doctor(secret);
  expect(code).toBe(0);
  expect(stdout).not.toContain("not looked at");
  const called = [...new Set(aws.calls)].sort();
  for (const action of called) expect(action).toMatch(/^[a-z0-9]+:(Get|Describe|Simulate)[A-Z]/);
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(`| \`doctor\` | ${called.join(", ")} |`);
});

test("it changes neither the secret nor the database", async () => {
  const secret = await prepared({ masterarn: await masterarn() });
  await database.superuser.query(
    `CREATE ROLE ${secret}_clone LOGIN; GRANT ${secret} TO ${secret}_clone; GRANT ${secret}_clone TO boss WITH ADMIN OPTION;
    ALTER ROLE ${secret} SET work_mem = '5MB'; CREATE SCHEMA ${secret} AUTHORIZATION ${secret}`,
  );
  const rowsOf = (catalogue: string) => `(SELECT json_agg(t ORDER BY t::text) FROM ${catalogue} t) AS ${catalogue}`;
  const catalogues = ["pg_authid", "pg_db_role_setting", "pg_auth_members", "pg_shdepend"].map(rowsOf);
  const state = async () => [
    await database.superuser.query(`SELECT ${catalogues.join(", ")}`).then(({ rows }) => rows),
    await database.service.sm.describeSecret({ SecretId: secret }).then(({ VersionIdsToStages }) => VersionIdsToStages),
  ];
  const before = await state();
  expect((await doctor(secret)).code).toBe(0);
  expect(await state()).toEqual(before);
});

test("--json is whole, with the same keys for every check", async () => {
  const secret = await prepared();
  const { stdout } = await doctor(secret, { ...healthy, denied: ["lambda:GetPolicy"] }, {}, " --json");
  const { checks, ...rest } = JSON.parse(stdout) as { checks: Record<string, unknown>[] };
  expect(rest).toEqual({ name: secret, arn: expect.stringContaining(secret), strategy: "single-user" });
  for (const check of checks) expect(Object.keys(check)).toEqual(["check", "is", "what", "list", "fix"]);
  expect(checks.find(({ check }) => check === "invocation")).toEqual({
    check: "invocation",
    is: "not known",
    what: "you may not lambda:GetPolicy",
    list: [],
    fix: null,
  });
  const disabled = { ...healthy.key, KeyState: "Disabled" as const };
  const { stderr } = await doctor(secret, { ...healthy, key: disabled }, {}, " --json");
  expect(stderr).toMatch(/ failed\. What to do is the "fix" of each\.\n$/);
});

test.each([
  ["lambda:GetFunctionConfiguration", "function", ["invocation", "role", "VPC to AWS", "VPC to DB"]],
  ["lambda:GetPolicy", "invocation", []],
  ["iam:SimulatePrincipalPolicy", "role", []],
  ["ec2:DescribeSubnets", "VPC to AWS", []],
  ["ec2:DescribeSecurityGroups", "VPC to DB", []],
  ["kms:DescribeKey", "KMS key", []],
  ["secretsmanager:GetSecretValue", "secret", ["VPC to DB", "DNS", "TCP", "TLS", "plaintext", "login"]],
])("without %s it is not known, and nothing fails", async (action, check, hanging) => {
  const secret = await prepared();
  const { code, stdout } = await doctor(secret, { ...healthy, denied: [action] });
  expect(code).toBe(0);
  expect(lineOf(stdout, check)).toBe(`? ${check.padEnd(10)}  not known: you may not ${action}`);
  for (const each of hanging) expect(lineOf(stdout, each)).toMatch(/^- .*not looked at: it takes that/);
});

describe("the role", () => {
  test("is asked for what the template grants, for this function", async () => {
    const asked: Record<string, [resource: string, conditions: object]> = {};
    const secret = await prepared({ masterarn: await masterarn() });
    const { ARN = "" } = await database.service.sm.describeSecret({ SecretId: secret });
    await doctor(secret, {
      ...healthy,
      mayRole(action, resource, conditions) {
        asked[`${action} ${resource}`] = [resource, conditions];
        return true;
      },
    });
    const functionArn = `arn:aws:lambda:us-east-1:${account}:function:rotates`;
    const source = { "lambda:SourceFunctionArn": functionArn };
    const through = {
      "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
      "kms:EncryptionContext:SecretARN": ARN,
    };
    const of = (action: string) =>
      Object.entries(asked)
        .filter(([name]) => name.startsWith(`${action} `))
        .map(([, each]) => each);
    expect(of("secretsmanager:PutSecretValue")).toEqual([
      [ARN, { ...source, "secretsmanager:resource/AllowRotationLambdaArn": functionArn }],
    ]);
    expect(of("secretsmanager:GetSecretValue")).toEqual([
      [ARN, { ...source, "secretsmanager:resource/AllowRotationLambdaArn": functionArn }],
      [await masterarn(), source],
    ]);
    expect(of("logs:PutLogEvents")).toEqual([
      [`arn:aws:logs:us-east-1:${account}:log-group:shop-rotation-log:log-stream:any`, source],
    ]);
    expect(of("ec2:CreateNetworkInterface")).toEqual([["*", {}]]);
    expect(of("kms:GenerateDataKey")).toEqual([[healthy.key?.Arn, through]]);
    // The two secrets name one host, so that nobody asks RDS.
    expect(of("rds:DescribeDBInstances")).toEqual([]);
  });

  test("is asked for what finds the admin's server, also where this machine does not reach the database", async () => {
    const { username, password } = await database.value("boss", "AWSCURRENT");
    const { sm } = database.service;
    const at = { engine: "postgres", port: 5432 };
    const boss = { ...at, host: "primary.abc123.us-east-1.rds.amazonaws.com", username, password };
    const { ARN } = await sm.createSecret({ Name: "far-boss", SecretString: JSON.stringify(boss) });
    const secret = await prepared({ masterarn: ARN });
    const far = { ...at, host: "replica.abc123.us-east-1.rds.amazonaws.com", username: "far", password: "far-away" };
    await sm.putSecretValue({ SecretId: secret, SecretString: JSON.stringify({ ...far, masterarn: ARN }) });
    vi.stubEnv("AWS_ENDPOINT_URL_RDS", aws.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const may = (action: string) => !action.startsWith("rds:");
    const { stdout } = await doctor(secret, { ...healthy, mayRole: may }, { env: process.env });
    expect(lineOf(stdout, "DNS")).toMatch(/^\? /);
    // Of which server is not known before it is asked.
    expect(lineOf(stdout, "role")).toMatch(/^\? role {8}not known: rds:DescribeDBClusters of /);
  });

  const put = "secretsmanager:PutSecretValue";
  const answering = (
    of: RegExp | string,
    answer: ReturnType<NonNullable<PlayedAccount["mayRole"]>>,
  ): PlayedAccount => ({
    ...healthy,
    mayRole: (action) => (action.match(of) ? answer : true),
  });
  const allowed = "✓ role        shop-rotation may do all that this rotation takes";
  const forbidden = `✗ role        shop-rotation may not ${put}`;
  const hangsOn = (what: string) => `? role        not known: ${put} of shop-rotation hangs on ${what}`;

  test.each<[answer: ReturnType<typeof answering>, line: string, below?: string]>([
    [answering(put, { decision: "explicitDeny" }), forbidden, "is a Deny in its policies: change that."],
    [
      answering(put, { decision: "implicitDeny", by: "boundary" }),
      forbidden,
      "is its permissions boundary: change that.",
    ],
    [
      answering(put, { decision: "explicitDeny", by: "organization" }),
      forbidden,
      "is a service control policy of its organization: change that.",
    ],
    [
      answering(put, false),
      hangsOn("the secret's own policy, which is not looked at: the role's policies do not allow it"),
    ],
    [answering(put, ["aws:SourceVpce"]), hangsOn("aws:SourceVpce")],
    [
      answering(put, { decision: "explicitDeny", missing: ["aws:RequestedRegion", "aws:SourceVpce"] }),
      hangsOn("aws:RequestedRegion, aws:SourceVpce"),
    ],
    [
      answering(put, { decision: "allowed", missing: ["secretsmanager:VersionStage"] }),
      hangsOn("secretsmanager:VersionStage"),
    ],
    [answering("", { decision: "allowed", missing: ["lambda:SourceFunctionArn", "s3:prefix"] }), allowed],
    [
      answering(/^(logs|ec2):/, false),
      allowed,
      "A rotation works without, but better allow logs:CreateLogStream, logs:PutLogEvents, ec2:AssignPrivateIpAddresses",
    ],
    [answering(/^(logs|ec2):/, { decision: "explicitDeny" }), allowed, "logs:PutLogEvents"],
    [
      { ...answering(/^ec2:D/, { decision: "explicitDeny" }), function: { ...healthy.function, State: "Inactive" } },
      "✗ role        shop-rotation may not ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets, ec2:DeleteNetworkInterface",
    ],
    [
      { ...answering(/^ec2:Del/, false), function: { ...healthy.function, State: "Inactive" } },
      "? role        not known: ec2:DeleteNetworkInterface of shop-rotation hangs on the real resource, which is not known here: the role's policies do not allow it",
    ],
    [
      { ...answering(/^ec2:DescribeS/, ["aws:x"]), function: { ...healthy.function, State: "Inactive" } },
      "? role        not known: ec2:DescribeSubnets of shop-rotation hangs on aws:x",
    ],
  ])("%#", async (played, line, below) => {
    const secret = await prepared();
    const { code, stdout } = await doctor(secret, played);
    expect(lineOf(stdout, "role")).toBe(line);
    expect(code).toBe(line.startsWith("✗") ? 7 : 0);
    if (below !== undefined) expect(roleText(stdout)).toContain(below);
  });

  const roleText = (stdout: string) => stdout.slice(stdout.indexOf("role   "), stdout.indexOf("VPC to AWS"));

  test("and the key: what the key's own policy may allow is not known, what is denied fails", async () => {
    const secret = await prepared();
    const key = async (answer: Parameters<typeof answering>[1]) =>
      lineOf((await doctor(secret, answering("kms:GenerateDataKey", answer))).stdout, "KMS key");
    expect(await key(false)).toBe(
      "? KMS key     not known: kms:GenerateDataKey of shop-rotation hangs on the key's own policy, which is not looked at: the role's policies do not allow it",
    );
    expect(await key({ decision: "explicitDeny" })).toBe("✗ KMS key     shop-rotation may not kms:GenerateDataKey");
  });

  test("is asked for the admin secret's own key, and where that is not seen, as far as seen", async () => {
    const { sm } = database.service;
    const { SecretString } = await sm.getSecretValue({ SecretId: "boss" });
    const { ARN = "" } = await sm.createSecret({ Name: "boss-with-key", SecretString, KmsKeyId: "key-2" });
    const secret = await prepared({ masterarn: ARN });
    const asked: unknown[] = [];
    const look = async (changes: PlayedAccount) =>
      lineOf((await doctor(secret, { ...healthy, ...changes })).stdout, "role");
    const mayRole: PlayedAccount["mayRole"] = (action, _, conditions) => {
      if (action === "kms:Decrypt") asked.push(conditions["kms:EncryptionContext:SecretARN"]);
      return action !== "kms:Decrypt";
    };
    expect(await look({ mayRole })).toContain("hangs on that key's own policy, which is not looked at");
    expect(asked).toContain(ARN);
    const seenOnly =
      "? role        not known: as far as seen shop-rotation may do what this rotation takes; not seen: ";
    expect(await look({ denied: ["kms:DescribeKey"] })).toBe(
      `${seenOnly}the admin secret's key (you may not kms:DescribeKey)`,
    );
    expect(await look({ denied: ["secretsmanager:GetSecretValue"] })).toBe(
      `${seenOnly}the secret's value (you may not secretsmanager:GetSecretValue)`,
    );
    const unread = { ...healthy.function, Environment: { Error: { Message: "no key" } } };
    expect(await look({ function: unread })).toBe(`${seenOnly}the function's settings (no key)`);
    const lost = await prepared({ masterarn: `arn:aws:secretsmanager:us-east-1:${account}:secret:lost-AbCdEf` });
    expect(lineOf((await doctor(lost)).stdout, "role")).toContain(`${seenOnly}the admin's secret (There is no`);
  });

  test("is asked for what AWS may have to be asked, and where nobody can say so it is not known", async () => {
    const secret = await prepared({ masterarn: await masterarn() });
    const SecretString = JSON.stringify({ ...(await database.value(secret, "AWSCURRENT")), port: 1 });
    await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
    expect(lineOf((await doctor(secret)).stdout, "role")).toBe(allowed);
    expect(lineOf((await doctor(secret, answering(/^rds:/, false))).stdout, "role")).toBe(
      "? role        not known: rds:DescribeDBClusters of shop-rotation hangs on whether AWS has to be asked which server the admin's secret is for: the role's policies do not allow it",
    );
  });
});

test("the strategy is the function's", async () => {
  const described = (user: string, by: string): PlayedAccount => ({
    ...healthy,
    function: {
      ...healthy.function,
      Description: `Rotates the password of a ${user} user whose secret is in AWS Secrets Manager: ${by} does it.`,
    },
  });
  const withAdmin = await prepared({ masterarn: await masterarn() });
  const without = await prepared();
  const asked: string[] = [];
  const single = await doctor(withAdmin, {
    ...described("PostgreSQL", "the user"),
    mayRole: (_, resource) => asked.push(resource) > 0,
  });
  expect(single.code).toBe(0);
  expect(asked).not.toContain(await masterarn());
  expect(lineOf(single.stdout, "admin")).toBe(
    "- admin       not looked at: single-user, which has no admin and no twin",
  );
  const multi = await doctor(without, described("PostgreSQL", "an admin"), {}, " --json");
  expect(JSON.parse(multi.stdout)).toMatchObject({ strategy: "multi-user" });
  expect(multi.code).toBe(7);
  expect((await doctor(withAdmin, described("PostgreSQL", "an admin"))).code).toBe(0);
  expect(lineOf((await doctor(without, described("Redshift", "the user"))).stdout, "function")).toMatch(
    /^✗ function .*cannot rotate the secret: it is for Redshift/,
  );
});

test("a replica's rotation is not looked at", async () => {
  const secret = await prepared();
  const described = await database.service.sm.describeSecret({ SecretId: secret });
  const { Name, ARN, VersionIdsToStages } = described;
  aws.play = (call) =>
    call.action === "secretsmanager:DescribeSecret"
      ? { body: JSON.stringify({ Name, ARN, VersionIdsToStages, PrimaryRegion: "eu-west-1" }) }
      : playing(healthy)(call);
  const { code, stdout } = await quarterturnAt(aws)(`doctor ${secret}`);
  expect(code).toBe(0);
  for (const check of ["function", "AWSPENDING", "schedule"])
    expect(lineOf(stdout, check)).toContain("not looked at: a replica, which is rotated in eu-west-1: look there");
});

test("a server without TLS: AWS's functions would use it in plaintext, and it is said who may", async () => {
  await using server = await startPostgres();
  const superuser = await server.connect();
  await superuser.query("CREATE ROLE plain LOGIN PASSWORD 'plain-password'");
  await superuser.end();
  const value = {
    engine: "postgres",
    host: server.host,
    port: server.port,
    username: "plain",
    password: "plain-password",
  };
  const look = async (name: string, ssl?: boolean | string) => {
    await database.service.sm.createSecret({ Name: name, SecretString: JSON.stringify({ ...value, ssl }) });
    const { stdout } = await doctor(name, {});
    return ["TLS", "plaintext", "login"].map((check) => lineOf(stdout, check).slice(0, 50));
  };
  expect(await look("without-ssl")).toEqual([
    expect.stringMatching(/^✗ TLS {9}localhost:\d+ \(as "plain"\): the/),
    "✗ plaintext   AWS's functions would try this server in plaintext, and not say so".slice(0, 50),
    '- login       not looked at: it takes that "TLS" passes'.slice(0, 50),
  ]);
  expect((await look("with-ssl", "True"))[1]).toMatch(/^✓ plaintext {3}no function uses it/);
  expect(await look("plaintext", false)).toEqual([
    '✓ TLS         none, since the secret says "ssl": false'.slice(0, 50),
    '✓ plaintext   the secret allows it: "ssl": false',
    expect.stringMatching(/^✓ login {7}AWSCURRENT logs in at localhost/),
  ]);
});

test("a value that cannot be used, a host that is not there, a port where nothing listens", async () => {
  const { sm } = database.service;
  const value = { engine: "postgres", host: "localhost", port: 1, username: "u", password: "never-shown" };
  const look = async (name: string, changes: object) => {
    await sm.createSecret({ Name: name, SecretString: JSON.stringify({ ...value, ...changes }) });
    return (await doctor(name, {})).stdout;
  };
  expect(lineOf(await look("hostless", { host: undefined }), "secret")).toContain("(host is missing)");
  expect(lineOf(await look("portless", {}), "TCP")).toBe(
    "✗ TCP         nothing listens at localhost:1, from this machine",
  );
  expect(lineOf(await look("nowhere", { host: "nowhere.invalid" }), "DNS")).toMatch(
    /^\? DNS {9}not known: this machine finds no address/,
  );
});

test("a database with a private address is found by it", async () => {
  const secret = await prepared();
  const value = await database.value(secret, "AWSCURRENT");
  const SecretString = JSON.stringify({ ...value, host: "fd00::1", port: 1 });
  await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
  const [own] = healthy.network?.networkInterfaceSet ?? [];
  const network = { ...healthy.network, networkInterfaceSet: [{ ...own, privateIpAddress: "fd00::1" }] };
  const { stdout } = await doctor(secret, { ...healthy, network });
  expect(lineOf(stdout, "VPC to DB")).toBe("✓ VPC to DB   security groups let the function through");
});

test("a host that the function's ALLOWED_HOSTS names is the admin's", async () => {
  const { sm } = database.service;
  const { password } = await database.value("boss", "AWSCURRENT");
  const boss = { ...(await database.value("boss", "AWSCURRENT")), password, host: "db.example" };
  const { ARN } = await sm.createSecret({ Name: "other-boss", SecretString: JSON.stringify(boss) });
  const secret = await prepared({ masterarn: ARN });
  const look = async (Variables: object) =>
    (await doctor(secret, { ...healthy, function: { ...healthy.function, Environment: { Variables } } })).stdout;
  expect(lineOf(await look({}), "admin")).toMatch(/^✗ admin .*is not the admin secret's/);
  expect(lineOf(await look({ ALLOWED_HOSTS: "localhost" }), "admin")).not.toContain("is not the admin secret's");
});

test("an admin that may not, and a twin that is another's", async () => {
  const secret = await prepared({ masterarn: await masterarn() });
  await database.superuser.query(`REVOKE ${secret} FROM boss; CREATE ROLE ${secret}_clone`);
  const { code, stdout } = await doctor(secret);
  expect(code).toBe(7);
  expect(stdout).toMatch(
    /^✗ admin .*the admin "boss" may not make and change the users .*\n {14}→ Run as a role that may: ALTER ROLE "boss" CREATEROLE/m,
  );
  expect(stdout).toMatch(/^✗ twin .*that is not a member of ".*\n {14}→ If it is meant to be the second user/m);
});

test("a value that the server quotes is not repeated", async () => {
  const secret = await prepared();
  const { password, ...value } = await database.value(secret, "AWSCURRENT");
  const SecretString = JSON.stringify({ ...value, password, dbname: password });
  await database.service.sm.putSecretValue({ SecretId: secret, SecretString });
  const { stdout } = await doctor(secret);
  expect(lineOf(stdout, "login")).toMatch(/^✗ .*database "\[redacted\]" does not exist/);
});

test("an unknown secret is one line, with exit code 4", async () => {
  const { code, stdout, stderr } = await doctor("none");
  expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
  expect(stderr).toMatch(/^quarterturn: There is no secret "none" in us-east-1\. .*\n$/);
});

test("no output held a value of a secret", () => {
  expect(passwords.length).toBeGreaterThan(10);
  for (const password of passwords) expect(everything).not.toContain(password);
});

test("a service that answers with an error of its own is named", async () => {
  const secret = await prepared();
  aws.play = (call) =>
    call.action === "kms:DescribeKey"
      ? { status: 400, errorType: "DependencyTimeoutException", body: '{"message":"The request timed out."}' }
      : playing(healthy)(call);
  const { stdout } = await quarterturnAt(aws)(`doctor ${secret}`);
  expect(lineOf(stdout, "KMS key")).toBe("? KMS key     not known: kms:DescribeKey ends with: The request timed out");
});

test("Ctrl-C ends it, whatever it is looking at", async () => {
  const secret = await prepared();
  for (const action of ["lambda:GetPolicy", "ec2:DescribeSubnets", "iam:SimulatePrincipalPolicy", "kms:DescribeKey"]) {
    const interruption = new AbortController();
    aws.play = (call) => {
      if (call.action === action) interruption.abort();
      return playing(healthy)(call);
    };
    const ran = await quarterturnAt(aws)(`doctor ${secret}`, { signal: interruption.signal });
    expect(ran).toMatchObject({ code: 130, stdout: "" });
  }
});
