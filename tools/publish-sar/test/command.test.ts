import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { workspace } from "@quarterturn-tools/bundle";
import { applications } from "@quarterturn-tools/sam";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ImitatedAws, region, startImitatedAws } from "./imitated-aws.ts";

let aws: ImitatedAws;
/** What git sees in the place of this repository, where somebody may be at work: a commit that is released, and nothing besides. */
let checkout: string;
let tag: string;
beforeAll(async () => {
  aws = await startImitatedAws();
  await aws.makeBucket("releases");
  checkout = await mkdtemp(join(tmpdir(), "quarterturn-sar-"));
  await promisify(execFile)("git", ["init", "--quiet", "--bare", join(checkout, ".git/origin.git")]);
  await promisify(execFile)("git", ["init", "--quiet", checkout]);
  await git("remote", "add", "origin", join(checkout, ".git/origin.git"));
  await git("config", "user.name", "somebody");
  await git("config", "user.email", "somebody@example.com");
  await git("commit", "--quiet", "--allow-empty", "--message", "a release");
  tag = `refs/tags/v${(await applications())[0]?.version}`;
  await git("push", "--quiet", "origin", `HEAD:${tag}`);
}, 240_000);
const git = async (...words: readonly string[]) =>
  (await promisify(execFile)("git", ["-C", checkout, ...words])).stdout.trim();
afterAll(async () => {
  await aws?.[Symbol.asyncDispose]();
  await rm(checkout, { recursive: true });
});

// For a dry run in this process: that the command bundles is seen where it publishes, and once is long enough.
vi.mock("../src/packaged-application.ts", async (original) => ({
  ...(await original<object>()),
  packagedApplications: async (bucket: string) => (await import("./small-applications.ts")).smallApplications(bucket),
}));

/** Runs the command in this process, without credentials. */
async function runHere(commandLine: readonly string[]): Promise<{ readonly stdout: string }> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
  const argv = vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...commandLine]);
  vi.stubEnv("AWS_ENDPOINT_URL", aws.env.AWS_ENDPOINT_URL);
  vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
  try {
    await import("../src/main.ts");
  } finally {
    log.mockRestore();
    argv.mockRestore();
    vi.unstubAllEnvs();
  }
  return { stdout: lines.join("\n") };
}

/** Runs the command as its npm script does, with nothing of this machine's AWS settings. */
async function run(commandLine: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const program = ["--conditions=@quarterturn/source", "tools/publish-sar/src/main.ts", ...commandLine];
  const own = { HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true", PATH: process.env.PATH };
  const git = { GIT_DIR: join(checkout, ".git"), GIT_WORK_TREE: checkout };
  const options = { cwd: workspace, env: { ...own, ...git, ...env } };
  return promisify(execFile)(process.execPath, program, options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test("publishes the function's bundle of every application", { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await run(["--bucket", "releases", "--public"], aws.env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const all = await applications();
  expect(aws.repository.applications.size).toBe(all.length);
  for (const { name, folder, version } of all) {
    expect(stdout).toContain(`${name} ${version}: archive of `);
    const there = aws.repository.applications.get(name)?.versions.get(version);
    expect(there?.code.equals(await readFile(join(workspace, "build/lambda", `${folder}.zip`)))).toBe(true);
  }
});

test("a dry run needs no credentials, sends nothing, and writes the texts that it names", async () => {
  aws.calls.length = 0;
  const { stdout } = await runHere(["--dry-run", "--bucket", "b", "--region", region]);
  const all = await applications();
  expect(stdout.match(/^serverlessrepo CreateApplication /gm)).toHaveLength(all.length);
  expect(aws.calls).toEqual([]);
  expect((await readdir(join(workspace, "build/sar"))).sort()).toEqual(all.map(({ name }) => name).sort());
  const named = [...stdout.matchAll(/<\d+ bytes, sha256 (\w+), (build\/sar\/[^>]+)>/g)];
  expect(new Set(named.map(([, , file]) => file)).size).toBe(3 * all.length);
  for (const [, sha256, file = ""] of named) {
    const bytes = await readFile(join(workspace, file));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
  }
});

test.concurrent.each([
  [["--wrong"], /^Unknown option '--wrong'/],
  [["--region", region], /^--bucket is missing, the S3 bucket for the archives\.\n\nnpm run publish:sar/],
  [["--bucket", "b"], /^No region: give --region us-east-1, or set AWS_REGION\.$/],
] as const)("%j ends with what to do, and no stack", async (commandLine, message) => {
  const { code, stdout, stderr } = await run(commandLine);
  expect(stderr.trimEnd()).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

test("without credentials it says which; --debug adds the stack", { timeout: 120_000 }, async () => {
  const { AWS_ENDPOINT_URL = "" } = aws.env;
  const commandLine = ["--bucket", "releases", "--region", region];
  const { code, stderr } = await run(commandLine, { AWS_ENDPOINT_URL });
  expect(stderr).toBe(
    "the repository: no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n",
  );
  expect(code).toBe(2);
  expect((await run([...commandLine, "--debug"], { AWS_ENDPOINT_URL })).stderr).toMatch(/^ +at .*publish\.ts/m);
});

test("what is not committed is not published: the end before any call", async () => {
  aws.calls.length = 0;
  const file = join(checkout, "not-committed");
  await writeFile(file, "");
  const { code, stderr } = await run(["--bucket", "releases"], aws.env);
  await rm(file);
  expect(stderr).toBe(
    "There are changes that are not committed: a published version can never be changed, and must be a commit's. Commit them first.\n",
  );
  expect(code).toBe(2);
  expect(aws.calls).toEqual([]);
});

test("what is made public is the commit that has its version's tag: another is the end before any call", async () => {
  aws.calls.length = 0;
  const released = await git("rev-parse", "HEAD");
  await git("commit", "--quiet", "--allow-empty", "--message", "what came after it");
  const later = await run(["--bucket", "releases", "--public"], aws.env);
  expect(later.stderr).toContain(`is the version of commit ${released}, and this is ${await git("rev-parse", "HEAD")}`);
  await git("push", "--quiet", "origin", `:${tag}`);
  const early = await run(["--bucket", "releases", "--public"], aws.env);
  expect(early.stderr).toMatch(/^No commit has the tag v[\d.]+ on origin: npm run release comes first/);
  expect([later.code, early.code, aws.calls]).toEqual([2, 2, []]);

  // In one's own account anybody may try it.
  const { AWS_ENDPOINT_URL = "" } = aws.env;
  const own = await run(["--bucket", "releases", "--region", region], { AWS_ENDPOINT_URL });
  expect(own.stderr).toContain("no AWS credentials were found");
});

test("--help fits a terminal and does nothing", async () => {
  const { code, stdout } = await run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^npm run publish:sar -- --bucket NAME/);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});
