import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { ServerlessApplicationRepositoryClient } from "@aws-sdk/client-serverlessapplicationrepository";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { PackagedApplication } from "../src/packaged-application.ts";
import { publish } from "../src/publish.ts";
import { type ImitatedAws, region, startImitatedAws } from "./imitated-aws.ts";
import { smallApplications } from "./small-applications.ts";

let aws: ImitatedAws;
let small: readonly PackagedApplication[];
const bucket = "releases";

beforeAll(async () => {
  aws = await startImitatedAws();
  await aws.makeBucket(bucket);
  small = (await smallApplications(bucket)).slice(0, 2);
}, 240_000);
afterAll(() => aws?.[Symbol.asyncDispose]());
beforeEach(() => {
  aws.repository.applications.clear();
  aws.calls.length = 0;
  aws.intercept = () => undefined;
});

interface Changes {
  readonly what?: readonly PackagedApplication[];
  readonly bucket?: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly isPublic?: boolean;
}

/** The message with which publishing fails. */
async function failure({ what = small, isPublic = false, ...changes }: Changes): Promise<string> {
  const endpoint = changes.endpoint ?? aws.env.AWS_ENDPOINT_URL ?? "";
  const place = changes.region ?? region;
  const destination = {
    s3: new S3Client({ region: place, endpoint, maxAttempts: 2 }),
    repository: new ServerlessApplicationRepositoryClient({ region: place, endpoint, maxAttempts: 2 }),
    bucket: changes.bucket ?? bucket,
    region: place,
  };
  const error = await publish(async () => what, destination, { isPublic, report: () => undefined }).then(
    () => "it was published",
    (thrown: Error) => thrown.message,
  );
  return error;
}

const refuse = (operation: RegExp, status: number, error: string, message = "Said by AWS") => {
  aws.intercept = (actual) => (operation.test(actual) ? { status, error, body: { message } } : undefined);
};

describe("a failure is one line that says what to do", () => {
  test("no bucket of that name", async () => {
    expect(await failure({ bucket: "nowhere" })).toBe(
      "bucket nowhere: there is no bucket nowhere: make it in us-east-1, or give another with --bucket",
    );
  });

  test("a bucket in another region", async () => {
    await aws.makeBucket("in-ireland", { place: "eu-west-1" });
    expect(await failure({ bucket: "in-ireland" })).toBe(
      "bucket in-ireland: it is in eu-west-1: give a bucket in us-east-1, or --region eu-west-1",
    );
  });

  test("a bucket in another region, of which S3 says no more than where it is", async () => {
    const headers = { "x-amz-bucket-region": "eu-west-1" };
    aws.intercept = (operation) => (operation === "HeadBucket" ? { status: 301, body: {}, headers } : undefined);
    expect(await failure({})).toBe(
      "bucket releases: it is in eu-west-1: give a bucket in us-east-1, or --region eu-west-1",
    );
  });

  test("a bucket that the repository may not read: with the policy that it lacks", async () => {
    await aws.makeBucket("closed", { isReadable: false });
    const what = small.map((each) => ({ ...each, template: each.template.replace(bucket, "closed") }));
    const message = await failure({ what, bucket: "closed" });
    expect(message).toMatch(/: the repository cannot read the bucket \(.*\): give it this policy/);
    expect(message).toContain('"arn:aws:s3:::closed/quarterturn/*"');
  });

  test.each([
    ["the repository", /^GET \/applications$/, "AccessDeniedException", /^the repository: /],
    ["an archive's place in S3", /^PutObject$/, "AccessDenied", /^quarterturn-\S+ \d\S+: /],
    ["an application", /^POST \/applications$/, "AccessDeniedException", /^quarterturn-\S+ \d\S+: /],
  ])("no right to %s", async (_what, operation, name, beginning) => {
    await aws.makeBucket("empty");
    refuse(operation, 403, name);
    const message = await failure({ bucket: "empty" });
    expect(message).toMatch(beginning);
    expect(message.replace(beginning, "")).toBe(
      `not allowed (${name}: Said by AWS): tools/publish-sar/README.md has the policy that a publisher needs`,
    );
  });

  test.each([
    ["a policy that lacks the bucket, or somebody else's bucket", 403, "AccessDenied"],
    ["credentials that have expired", 400, "ExpiredToken"],
  ])("%s, of which S3 says to HEAD nothing but the status", async (_what, status, name) => {
    refuse(/^HeadBucket$/, status, name);
    expect(await failure({})).toBe(
      `bucket releases: S3 refused with status ${status} and gives no reason: see that you have the policy of tools/publish-sar/README.md, that the bucket is yours, that the credentials are valid, and that the clock is right`,
    );
  });

  test("credentials that have expired are told by the first call, whose answer has a name", async () => {
    refuse(/./, 403, "ExpiredTokenException");
    expect(await failure({})).toBe(
      "the repository: the AWS credentials are not accepted (ExpiredTokenException): renew them, then run the command again",
    );
  });

  describe("no credentials", () => {
    beforeEach(async () => {
      const folder = await mkdtemp(join(tmpdir(), "quarterturn-sar-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      onTestFinished(() => void vi.unstubAllEnvs());
      const sso = "sso_account_id = 123456789012\nsso_role_name = Release\nsso_region = us-east-1\n";
      const config = `[profile expired]\n${sso}sso_start_url = https://example.awsapps.com/start\n`;
      await writeFile(join(folder, "config"), config);
      const env = { AWS_CONFIG_FILE: join(folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "none") };
      for (const [name, value] of Object.entries({ ...env, HOME: folder, AWS_EC2_METADATA_DISABLED: "true" }))
        vi.stubEnv(name, value);
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    });

    test("anywhere", async () => {
      expect(await failure({})).toBe(
        "the repository: no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      );
    });

    test("in the profile, because the name is mistyped", async () => {
      vi.stubEnv("AWS_PROFILE", "expierd");
      expect(await failure({})).toBe(
        "the repository: no AWS credentials were found in the profile expierd, which AWS_PROFILE names: correct the name, or the profile in ~/.aws/config or ~/.aws/credentials",
      );
    });

    test("in the profile, because its login has expired: the SDK's words, which say so", async () => {
      vi.stubEnv("AWS_PROFILE", "expired");
      const message = await failure({});
      expect(message).toMatch(
        /^the repository: no AWS credentials from the profile expired, which AWS_PROFILE names: The SSO session .* run aws sso login .*$/,
      );
      expect(message).not.toContain("\n");
    });
  });

  test("too many requests, after the SDK's own tries", async () => {
    refuse(/^POST \/applications$/, 429, "TooManyRequestsException");
    expect(await failure({})).toMatch(
      /^quarterturn-.*: AWS wants fewer requests, after 2 tries: wait a minute, then run the command again, which goes on from here$/,
    );
  });

  test("an error of AWS itself", async () => {
    refuse(/^POST \/applications$/, 500, "InternalServerErrorException");
    expect(await failure({})).toMatch(
      /: AWS failed \(InternalServerErrorException: .*\), after 2 tries: run the command/,
    );
  });

  test("an application that the list did not have yet", async () => {
    refuse(/^POST \/applications$/, 409, "ConflictException", "Application with name x already exists");
    expect(await failure({})).toMatch(
      /: Application with name x already exists: somebody else .* run the command again in a minute$/,
    );
  });

  test("no network", async () => {
    expect(await failure({ endpoint: "http://127.0.0.1:1" })).toBe(
      "the repository: AWS was not reached (ECONNREFUSED): look at the network, then run the command again",
    );
  });

  test("a region from which nothing can be public, before any call", async () => {
    expect(await failure({ region: "eu-west-1", isPublic: true })).toBe(
      "An application of eu-west-1 cannot be public: publish it to us-east-1 or us-east-2, from where all regions have it.",
    );
    expect(aws.calls).toEqual([]);
  });
});

test("the imitation refuses what the service's model does: limits are in force in these tests", async () => {
  const [first] = small;
  if (first === undefined) expect.unreachable();
  const page = (changes: object) => [{ ...first, page: { ...first.page, ...changes } }];
  const refusals: readonly (readonly [RegExp, readonly PackagedApplication[]])[] = [
    [/Author does not match/, page({ Author: "Quarterturn" })],
    [/Author .* has an unknown member|CreateApplication has no Author/, page({ Author: undefined })],
    [/Description is too long/, page({ Description: "x".repeat(257) })],
    [/Labels has more than 10/, page({ Labels: Array.from({ length: 11 }, (_, index) => `label-${index}`) })],
    [/Labels does not match/, page({ Labels: ["two words"] })],
    [/ReadmeBody is too large/, page({ ReadmeBody: "x".repeat(5_000_001) })],
    [/both readmeBody and readmeUrl/, page({ ReadmeUrl: "s3://bucket/key" })],
    [/Name does not match/, [{ ...first, name: "under_score" }]],
    [/1.0 is not a semantic version/, [{ ...first, version: "1.0" }]],
    [/Invalid S3 URI/, [{ ...first, template: first.template.replace("s3://", "") }]],
  ];
  for (const [message, what] of refusals) expect(await failure({ what })).toMatch(message);
  expect(await failure({})).toBe("it was published");
});
