import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { quarterturn, quarterturnAt } from "./command-line.ts";
import { startImitatedAws } from "./imitated-aws.ts";
import { type Service, startService } from "./secrets-manager.ts";

/** Everything that goes wrong is one line on standard error, which ends with what to do next, and no stack. */
function expectOneLine({ stdout, stderr }: { stdout: string; stderr: string }): string {
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^quarterturn: [^\n]+\n$/);
  return stderr.slice("quarterturn: ".length, -1);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("what the service answers", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
    const { sm, local } = service;
    const create = (Name: string) => sm.createSecret({ Name, SecretString: "value" });
    await create("without-rotation");
    await create("in-progress");
    await sm.rotateSecret({ SecretId: "in-progress", RotationLambdaARN: "fails" });
    await local.settled("in-progress");
    await create("marked!");
    await sm.deleteSecret({ SecretId: "marked!" });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  test.each<[line: string, words: string, code?: number]>([
    ["status none", 'There is no secret "none" in us-east-1. See those that there are: quarterturn status --all'],
    ["rotate none", 'There is no secret "none" in us-east-1. See those that there are: quarterturn status --all'],
    ["recover none", 'There is no secret "none" in us-east-1. See those that there are: quarterturn status --all'],
    [
      "rotate without-rotation",
      '"without-rotation" has no rotation: no function is set. Set one: quarterturn enable without-rotation',
    ],
    [
      "rotate in-progress",
      'A rotation of "in-progress" is in progress already, and the service now tries it again. See how far it is: quarterturn status in-progress',
    ],
    [
      "rotate marked!",
      '"marked!" is marked for deletion. If it is needed: aws secretsmanager restore-secret --secret-id ',
    ],
    [
      "rollback without-rotation",
      '"without-rotation" has no version that is AWSPREVIOUS, so there is nothing to go back to. See whether an older version logs in: quarterturn recover without-rotation',
      3,
    ],
  ])("%s", async (line, words, code = 4) => {
    const ran = await quarterturnAt(service.local)(line);
    expect(expectOneLine(ran)).toContain(words);
    expect(ran.code).toBe(code);
    const asJson = await quarterturnAt(service.local)(`${line} --json`);
    const [, message, next] = /^quarterturn: (.*?\.) (\S.*)\n$/.exec(asJson.stderr) ?? [];
    expect(JSON.parse(asJson.stdout)).toEqual({ error: { exitCode: code, message, next } });
  });

  test("a failure without anything to do next has none in JSON either", async () => {
    const { stdout } = await quarterturn(["cancel", "in-progress", "--json", "--endpoint-url", service.local.url], {
      key: "n",
    });
    expect(JSON.parse(stdout)).toEqual({
      error: { exitCode: 3, message: "Nothing was changed: the answer was no.", next: null },
    });
  });

  test("status of a secret that is marked for deletion says so, and how it comes back", async () => {
    const { code, stdout } = await quarterturnAt(service.local)("status marked!");
    expect(code).toBe(0);
    expect(stdout).toContain("  state     NOT_CONFIGURED, marked for deletion\n");
    expect(stdout).toContain(
      "  then      if it is needed: aws secretsmanager restore-secret --secret-id 'marked!' --endpoint-url",
    );
    const { secrets } = JSON.parse((await quarterturnAt(service.local)("status marked! --json")).stdout);
    expect(Date.parse(secrets[0].deleted)).toBeGreaterThan(0);
  });

  test("commands to run next, the AWS CLI's too, are in the place of this one, and in a shell's words", async () => {
    const run = (...words: string[]) =>
      quarterturn([...words, "--region", "eu-west-3", "--profile", "ops", "--endpoint-url", service.local.url]);
    await writeFile(join(folder, "config"), "[profile ops]\naws_access_key_id = a\naws_secret_access_key = b\n");
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const place = `--region eu-west-3 --profile ops --endpoint-url ${service.local.url}`;
    const marked = `aws secretsmanager restore-secret --secret-id 'marked!' ${place}.`;
    expect((await run("rotate", "marked!")).stderr).toContain(marked);
    expect((await run("status", "none")).stderr).toContain(`quarterturn status --all ${place};`);
    expect((await run("rotate", "in-progress")).stderr).toContain(`cancel in-progress --clear-pending ${place}.`);
  });

  test("rotate of a secret whose function was deleted, or may not be invoked", async () => {
    await service.sm.createSecret({ Name: "deserted", SecretString: "value" });
    await service.sm.rotateSecret({ SecretId: "deserted", RotationLambdaARN: "works", RotateImmediately: false });
    await service.local.settled("deserted");
    await using aws = await startImitatedAws(service.local.url, "none");
    const message = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy ...";
    const body = JSON.stringify({ __type: "AccessDeniedException", message });
    aws.play = ({ action }) => (action === "secretsmanager:RotateSecret" ? { status: 400, body } : undefined);
    const ran = await quarterturnAt(aws)("rotate deserted --region us-east-1");
    const place = `--region us-east-1 --endpoint-url ${aws.url}`;
    const arn = service.local.functionArn("works");
    expect(expectOneLine(ran)).toBe(
      [
        `No rotation of "deserted" was begun: Secrets Manager cannot invoke ${arn}, which was deleted, or its policy does not allow it.`,
        `See whether it exists: aws lambda get-function --function-name ${arn} ${place};`,
        `allow it: aws lambda add-permission --function-name ${arn} --statement-id SecretsManager --action lambda:InvokeFunction --principal secretsmanager.amazonaws.com --source-account 000000000000 ${place};`,
        `or set another: quarterturn enable deserted ${place}`,
      ].join(" "),
    );
    expect(ran.code).toBe(4);
  });
});

/** An endpoint that answers everything with one error. */
async function refusing(type: string, message: string): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response
      .writeHead(400, { "content-type": "application/x-amz-json-1.1" })
      .end(JSON.stringify({ __type: type, message }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

describe("an identity that may not, or no longer", () => {
  test.each([
    [
      "AccessDeniedException",
      "User: arn:aws:iam::1:user/me is not authorized to perform: secretsmanager:DescribeSecret",
      /^AWS does not allow this for "app" \(User: .*DescribeSecret\)\. See who you are: aws sts get-caller-identity\./,
    ],
    [
      "ExpiredTokenException",
      "The security token included in the request is expired",
      /^The AWS session has expired\. Log in again: aws sso login,/,
    ],
    [
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
      /^AWS does not know these credentials .* aws sts get-caller-identity\.$/,
    ],
    [
      "InternalServiceError",
      "An error occurred on the server side.",
      /^AWS answers InternalServiceError: An error occurred on the server side\. Run the same command again; .*--debug/,
    ],
    [
      "ValidationException",
      "Value at 'secretId' failed to satisfy constraint: Member must have length less than or equal to 2048",
      /^AWS refuses this for "app" \(Value at .* equal to 2048\)\. Correct that, if it is of the command line; how the secret is: quarterturn status app --endpoint-url \S+$/,
    ],
  ])("%s", async (type, message, words) => {
    const ran = await quarterturnAt(await refusing(type, message))("status app");
    expect(expectOneLine(ran)).toMatch(words);
    expect(ran.code).toBe(4);
  });

  test("throttling is retried, and then said", async () => {
    const aws = await refusing("ThrottlingException", "Rate exceeded");
    const ran = await quarterturnAt(aws)("status app");
    expect(expectOneLine(ran)).toMatch(
      /^AWS answers that there are too many requests, 3 times in a row\. Run the same command again/,
    );
    expect(aws.requests()).toBe(3);
    expect(ran.code).toBe(4);
  });

  test("no network", async () => {
    const ran = await quarterturnAt({ url: "http://127.0.0.1:1" })("status app");
    expect(expectOneLine(ran)).toMatch(
      /^No answer from http:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)\. Check the network/,
    );
    expect(ran.code).toBe(4);
  });
});

describe("what the machine has not", () => {
  const bare = {
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const without = (...names: string[]) => {
    for (const [name, value] of Object.entries(bare)) vi.stubEnv(name, value);
    for (const name of names) vi.stubEnv(name, undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
  };

  test("no Region", async () => {
    without("AWS_REGION", "AWS_DEFAULT_REGION");
    const ran = await quarterturn(["status", "app"]);
    expect(expectOneLine(ran)).toBe(
      "No usable Region is set (Region is missing). Give --region, or set AWS_REGION, or name one in the profile.",
    );
    expect(ran.code).toBe(4);
  });

  test("a session of IAM Identity Center that has expired", async () => {
    without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    const config = `
      [profile sso]
      sso_session = ours
      sso_account_id = 123456789012
      sso_role_name = operator
      [sso-session ours]
      sso_start_url = https://ours.awsapps.com/start
      sso_region = eu-west-3
    `;
    const session = {
      accessToken: "token",
      expiresAt: "2020-01-01T00:00:00Z",
      startUrl: "https://ours.awsapps.com/start",
    };
    await mkdir(join(folder, ".aws/sso/cache"), { recursive: true });
    await writeFile(join(folder, "sso-config"), config);
    const file = `${createHash("sha1").update("ours").digest("hex")}.json`;
    await writeFile(join(folder, ".aws/sso/cache", file), JSON.stringify(session));
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "sso-config"));
    vi.stubEnv("HOME", folder);
    const ran = await quarterturn(["status", "app", "--profile", "sso"]);
    expect(expectOneLine(ran)).toMatch(/^The AWS session has expired\. Log in again: aws sso login --profile sso, /);
    expect(ran.code).toBe(4);
  });

  test("a profile that takes a code of a device, for which the AWS CLI asks alone", async () => {
    without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    const config = `
      [profile mfa]
      role_arn = arn:aws:iam::123456789012:role/operator
      mfa_serial = arn:aws:iam::123456789012:mfa/me
      source_profile = keys
      [profile keys]
      aws_access_key_id = a
      aws_secret_access_key = b
    `;
    await writeFile(join(folder, "mfa-config"), config);
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "mfa-config"));
    const ran = await quarterturn(["status", "app", "--profile", "mfa", "--region", "eu-west-3"]);
    expect(expectOneLine(ran)).toMatch(
      /^This profile takes a code of a multi-factor device \(.*\)\. The AWS CLI asks for it: eval "\$\(aws configure export-credentials --format env --region eu-west-3 --profile mfa\)"; then run the same command again with --region instead of --profile, and with AWS_PROFILE unset\.$/,
    );
    expect(ran.code).toBe(4);
  });

  test("no credentials", async () => {
    without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    const ran = await quarterturn(["status", "app", "--profile", "my own"]);
    expect(expectOneLine(ran)).toMatch(/^There are no AWS credentials .* aws configure list --profile 'my own'\./);
    expect(ran.code).toBe(4);
  });
});

test("an endpoint that is none of AWS's", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "nonsense");
  onTestFinished(() => void vi.unstubAllEnvs());
  const ran = await quarterturn(["status", "app"]);
  expect(expectOneLine(ran)).toMatch(
    /^What answers is no endpoint of AWS \(Invalid URL\)\. Check --endpoint-url, and AWS_/,
  );
  expect(ran.code).toBe(4);
});

test("--debug shows where an error came from, below the line", async () => {
  const { stderr } = await quarterturnAt({ url: "http://127.0.0.1:1" })("status app --debug");
  expect(stderr).toMatch(/^quarterturn: No answer .*\n/);
  expect(stderr).toMatch(/^at .*aws-failure\.ts/m);
  expect(stderr).toMatch(/^Caused by:$/m);
});
