import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialize } from "node:v8";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ServerlessApplicationRepositoryClient } from "@aws-sdk/client-serverlessapplicationrepository";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { dryRun } from "../src/dry-run.ts";
import type { PackagedApplication } from "../src/packaged-application.ts";
import { publish } from "../src/publish.ts";
import { type ImitatedAws, region, startImitatedAws } from "./imitated-aws.ts";
import { account } from "./imitated-repository.ts";
import { smallApplications } from "./small-applications.ts";

let aws: ImitatedAws;
let scratch: string;
let applications: readonly PackagedApplication[];
const bucket = "releases";

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "quarterturn-sar-"));
  aws = await startImitatedAws();
  await aws.makeBucket(bucket);
  applications = await smallApplications(bucket);
}, 240_000);
afterAll(async () => {
  await aws?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true });
});
beforeEach(() => {
  aws.repository.applications.clear();
  aws.calls.length = 0;
  aws.onEffect = () => undefined;
});

/** Publishes, and returns what was reported. */
async function published(what = applications, isPublic = false): Promise<readonly string[]> {
  const reports: string[] = [];
  const endpoint = aws.env.AWS_ENDPOINT_URL ?? "";
  const destination = {
    s3: new S3Client({ region, endpoint }),
    repository: new ServerlessApplicationRepositoryClient({ region, endpoint }),
    bucket,
    region,
  };
  await publish(async () => what, destination, { isPublic, report: (text) => reports.push(text) });
  return reports;
}

const effects = () => aws.calls.map(({ operation }) => operation).filter((each) => /^(Put|Create|Update)/.test(each));
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const first = () => applications[0] ?? expect.unreachable();
const arn = (name: string) => `arn:aws:serverlessrepo:${region}:${account}:applications/${name}`;

/** An application with other code, which is in no bucket yet. */
function withCode(application: PackagedApplication, code: string): PackagedApplication {
  const bytes = Buffer.from(code);
  const key = `quarterturn/${sha256(bytes)}.zip`;
  const checksum = createHash("sha256").update(bytes).digest("base64");
  const template = application.template.replace(application.archive.key, key);
  return { ...application, template, archive: { key, bytes, checksum } };
}

/** The next version of an application. */
const next = (application: PackagedApplication): PackagedApplication => ({
  ...withCode(application, `next code of ${application.name}`),
  version: "99.0.0",
  sourceCodeUrl: `${application.sourceCodeUrl}0`,
  page: { ...application.page, ReadmeBody: "# The next" },
});

test("every application is there with its page, its licence and its own code, private; each says where", async () => {
  const reports = await published();
  expect(aws.repository.applications.size).toBe(applications.length);
  expect(applications.length).toBeGreaterThan(2);
  for (const [index, { name, version, page, license, archive }] of applications.entries()) {
    const there = aws.repository.applications.get(name);
    expect(there?.page).toMatchObject({ ...page, ...license });
    expect(there?.statements).toEqual([]);
    expect(sha256(there?.versions.get(version)?.code ?? "")).toBe(sha256(archive.bytes));
    expect(reports[index]).toMatch(new RegExp(`^${index + 1} of ${applications.length}  ${name} ${version}: `));
    expect(reports[index]?.split("\n").slice(1)).toEqual([
      `      ${arn(name)}`,
      `      https://console.aws.amazon.com/serverlessrepo/home?region=${region}#/published-applications/${arn(name).replace("/", "~")}`,
    ]);
  }
});

test("the same version twice: the second time nothing is written, and it says so", async () => {
  await published();
  aws.calls.length = 0;
  const reports = await published();
  expect(effects()).toEqual([]);
  for (const report of reports) expect(report).toContain(": is there already, unchanged, private\n");
});

test("an archive that is there is not sent again, and one that is not ours is", async () => {
  await published();
  aws.repository.applications.clear();
  aws.calls.length = 0;
  await published();
  expect(effects()).not.toContain("PutObject");

  const { archive } = first();
  const s3 = new S3Client({ region, endpoint: aws.env.AWS_ENDPOINT_URL ?? "" });
  const other = { Bucket: bucket, Key: archive.key, Body: "other", ChecksumAlgorithm: "SHA256" } as const;
  await s3.send(new PutObjectCommand(other));
  aws.repository.applications.clear();
  aws.calls.length = 0;
  await published();
  expect(effects().filter((operation) => operation === "PutObject")).toHaveLength(1);
  expect(sha256(aws.repository.applications.get(first().name)?.versions.get(first().version)?.code ?? "")).toBe(
    sha256(archive.bytes),
  );
});

test("other content under a used version is refused by name, before anything is written", async () => {
  const [changed, ...others] = applications.toReversed();
  if (changed === undefined) expect.unreachable();
  await published([{ ...changed, sourceCodeUrl: `${changed.sourceCodeUrl}0` }]);
  aws.calls.length = 0;
  await expect(published([...others, changed])).rejects.toThrow(
    new RegExp(
      `${changed.name} ${changed.version} is published as .*\nA published version does not change: .npx changeset`,
    ),
  );
  expect(effects()).toEqual([]);
});

test("a new version comes beside the old one, with its page", async () => {
  await published();
  aws.calls.length = 0;
  await published(applications.map(next));
  const there = aws.repository.applications.get(first().name);
  expect([...(there?.versions.keys() ?? [])]).toEqual([first().version, "99.0.0"]);
  expect(there?.page.ReadmeBody).toBe("# The next");
  expect(effects().slice(0, 3)).toEqual(["PutObject", "UpdateApplication", "CreateApplicationVersion"]);
});

test("--public shares with everybody once, beside those who were there, and names the public page", async () => {
  await published([first()]);
  const there = aws.repository.applications.get(first().name);
  const organisation = { Principals: ["*"], PrincipalOrgIDs: ["o-1"], Actions: ["Deploy", "UnshareApplication"] };
  if (there) there.statements = [organisation];
  const [report] = await published([first()], true);
  expect(there?.statements).toMatchObject([organisation, { Principals: ["*"], Actions: ["Deploy"] }]);
  expect(report).toContain(": is there already, unchanged, made public\n");
  expect(report).toContain(
    `\n      https://serverlessrepo.aws.amazon.com/applications/${region}/${account}/${first().name}`,
  );
  aws.calls.length = 0;
  expect((await published([next(first())]))[0]).toMatch(/: .*version added, public\n/);
  await published([next(first())], true);
  expect(effects()).toEqual(["UpdateApplication", "CreateApplicationVersion"]);
});

/** As a dry run prints them. */
const inLines = (calls: ImitatedAws["calls"]) =>
  calls.map(({ service, operation, input }) => {
    const name = String(input.Name ?? input.ApplicationId).replace(/.*\//, "");
    const short = Object.entries(input).map(([key, value]) => {
      const file = bodies.get(key);
      if (file === undefined && !Buffer.isBuffer(value)) return [key, value];
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
      const where = file === undefined ? "" : `, build/sar/${name}/${file}`;
      return [key, `<${bytes.byteLength} bytes, sha256 ${sha256(bytes)}${where}>`];
    });
    return { service, operation, input: Object.fromEntries(short) };
  });

const bodies = new Map([
  ["TemplateBody", "template.yaml"],
  ["ReadmeBody", "README.md"],
  ["LicenseBody", "LICENSE"],
]);

const parsed = (lines: readonly string[]) =>
  lines.flatMap((line) => {
    const [, service, operation, input = ""] = /^(s3|serverlessrepo) (\w+) (.*)$/.exec(line) ?? [];
    return service ? [{ service, operation, input: JSON.parse(input.replaceAll("ACCOUNT", account)) }] : [];
  });

test("a dry run prints the calls that publishing then makes, the first time and the next", async () => {
  const fresh = applications.map((each) => withCode(each, `fresh code of ${each.name}`));
  const dry = await dryRun(fresh, { bucket, region, isPublic: true });
  expect(await dryRun(fresh, { bucket, region, isPublic: true })).toEqual(dry);
  const { lines } = dry;
  expect(aws.calls).toEqual([]);
  const boundary = lines.indexOf("");

  await published(fresh, true);
  expect(inLines(aws.calls)).toEqual(parsed(lines.slice(0, boundary)));
  const sent = aws.calls.flatMap(({ input }) =>
    [...bodies].flatMap(([key, file]) => (key in input ? [[`build/sar/${input.Name}/${file}`, input[key]]] : [])),
  );
  expect(sent).toHaveLength(3 * fresh.length);
  expect(Object.fromEntries(dry.files)).toEqual(Object.fromEntries(sent));

  aws.calls.length = 0;
  for (const { versions } of aws.repository.applications.values()) versions.clear();
  await published(fresh, true);
  const isOfNext = ({ operation }: { operation?: string }) =>
    /^(Get|Update|Create)Application(Version)?$/.test(operation ?? "");
  expect(inLines(aws.calls).filter(isOfNext)).toEqual(parsed(lines.slice(boundary)));
});

test("a dry run in full", async () => {
  const { page, license, archive, ...rest } = first();
  const small: PackagedApplication = {
    ...rest,
    name: "quarterturn-example",
    version: "1.2.3",
    sourceCodeUrl: "https://example.org#sha256=00",
    template: "Resources: {}",
    archive: { key: "quarterturn/example/00.zip", bytes: Buffer.from("zip"), checksum: "AAAA" },
    page: { ...page, Description: "An example.", Labels: ["example"], ReadmeBody: "# It" },
    license: { ...license, LicenseBody: "the licence" },
  };
  const { lines, files } = await dryRun([small], { bucket, region, isPublic: true });
  expect([...files]).toEqual([
    ["build/sar/quarterturn-example/README.md", "# It"],
    ["build/sar/quarterturn-example/LICENSE", "the licence"],
    ["build/sar/quarterturn-example/template.yaml", "Resources: {}"],
  ]);
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "Nothing is sent. Where no application is there yet, these are the 7 calls:
    serverlessrepo ListApplications {}
    s3 HeadBucket {"Bucket":"releases"}
    s3 HeadObject {"Bucket":"releases","Key":"quarterturn/example/00.zip","ChecksumMode":"ENABLED"}
    s3 PutObject {"Bucket":"releases","Key":"quarterturn/example/00.zip","Body":"<3 bytes, sha256 4a70fe9aa6436e02c2dea340fbd1e352e4ef2d8ce6ca52ad25d4b95471fc8bf2>","ContentType":"application/zip","ChecksumAlgorithm":"SHA256","ChecksumSHA256":"AAAA"}
    serverlessrepo CreateApplication {"Name":"quarterturn-example","Author":"quarterturn","Description":"An example.","Labels":["example"],"HomePageUrl":"https://github.com/quarterturn/quarterturn","ReadmeBody":"<4 bytes, sha256 1051987cbedc54642070932ee3fbefc58213b0dd6c8e9023fc9d28c47598de2c, build/sar/quarterturn-example/README.md>","SpdxLicenseId":"Apache-2.0","LicenseBody":"<11 bytes, sha256 836ad69be0c1b42ccf729a3629e381929aebb71179c0da970b83343040ba40e0, build/sar/quarterturn-example/LICENSE>","SemanticVersion":"1.2.3","SourceCodeUrl":"https://example.org#sha256=00","TemplateBody":"<13 bytes, sha256 6983703a8fa98a921cf6a11048021ceb65f10d1004736266b8878658097ec65e, build/sar/quarterturn-example/template.yaml>"}
    serverlessrepo GetApplicationPolicy {"ApplicationId":"arn:aws:serverlessrepo:us-east-1:ACCOUNT:applications/quarterturn-example"}
    serverlessrepo PutApplicationPolicy {"ApplicationId":"arn:aws:serverlessrepo:us-east-1:ACCOUNT:applications/quarterturn-example","Statements":[{"Principals":["*"],"Actions":["Deploy"]}]}

    Where an application is there with other versions, these instead of its CreateApplication:
    serverlessrepo GetApplication {"ApplicationId":"arn:aws:serverlessrepo:us-east-1:ACCOUNT:applications/quarterturn-example","SemanticVersion":"1.2.3"}
    serverlessrepo UpdateApplication {"ApplicationId":"arn:aws:serverlessrepo:us-east-1:ACCOUNT:applications/quarterturn-example","Author":"quarterturn","Description":"An example.","Labels":["example"],"HomePageUrl":"https://github.com/quarterturn/quarterturn","ReadmeBody":"<4 bytes, sha256 1051987cbedc54642070932ee3fbefc58213b0dd6c8e9023fc9d28c47598de2c, build/sar/quarterturn-example/README.md>"}
    serverlessrepo CreateApplicationVersion {"ApplicationId":"arn:aws:serverlessrepo:us-east-1:ACCOUNT:applications/quarterturn-example","SemanticVersion":"1.2.3","SourceCodeUrl":"https://example.org#sha256=00","TemplateBody":"<13 bytes, sha256 6983703a8fa98a921cf6a11048021ceb65f10d1004736266b8878658097ec65e, build/sar/quarterturn-example/template.yaml>"}

    Where this version is there already: GetApplication says whether it is the same, and nothing is written."
  `);
});

/** Publishes in a process, which is killed after its first effect that no earlier run had, again and again until one ends by itself. */
async function effectsUntilDone(application: PackagedApplication): Promise<readonly string[]> {
  const file = join(scratch, "applications");
  await writeFile(file, serialize([application]));
  const program = new URL("./publisher.ts", import.meta.url).pathname;
  const seen: string[] = [];
  for (;;) {
    const publisher = spawn(process.execPath, ["--conditions=@quarterturn/source", program, file, bucket, region], {
      env: { ...aws.env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    aws.onEffect = (operation) => {
      const isNew = !seen.includes(operation);
      seen.push(operation);
      if (isNew) publisher.kill("SIGKILL");
    };
    const [code, signal] = await once(publisher, "exit");
    if (signal === "SIGKILL") continue;
    expect(code).toBe(0);
    return seen;
  }
}

test("killed after any of its effects, the next run goes on from there, for a first version and for a next one", {
  timeout: 60_000,
}, async () => {
  const only = withCode(first(), "code that waits for its run");
  expect(await effectsUntilDone(only)).toEqual(["PutObject", "CreateApplication", "PutApplicationPolicy"]);
  const following = withCode(next(only), "code of the next run");
  expect(await effectsUntilDone(following)).toEqual([
    "PutObject",
    "UpdateApplication",
    // Changes nothing the second time.
    "UpdateApplication",
    "CreateApplicationVersion",
  ]);
  const { versions } = aws.repository.applications.get(only.name) ?? expect.unreachable();
  expect([...versions].map(([version, { code }]) => [version, code.toString()])).toEqual([
    [only.version, "code that waits for its run"],
    ["99.0.0", "code of the next run"],
  ]);
});
