import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { workspace } from "@quarterturn-tools/bundle";
import { applications } from "@quarterturn-tools/sam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImitatedAws, region, startImitatedAws } from "./imitated-aws.ts";

let aws: ImitatedAws;
beforeAll(async () => {
  aws = await startImitatedAws();
  await aws.makeBucket("releases");
}, 240_000);
afterAll(() => aws?.[Symbol.asyncDispose]());

/** Runs the command as its npm script does, with nothing of this machine's AWS settings. */
async function run(commandLine: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const program = ["--conditions=@quarterturn/source", "tools/publish-sar/src/main.ts", ...commandLine];
  const options = { cwd: workspace, env: { HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true", ...env } };
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

test("a dry run needs no credentials and sends nothing", { timeout: 120_000 }, async () => {
  aws.calls.length = 0;
  const { AWS_ENDPOINT_URL = "" } = aws.env;
  const { code, stdout, stderr } = await run(["--dry-run", "--bucket", "b", "--region", region], { AWS_ENDPOINT_URL });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.match(/^serverlessrepo CreateApplication /gm)).toHaveLength((await applications()).length);
  expect(aws.calls).toEqual([]);
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
    "bucket releases: no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n",
  );
  expect(code).toBe(2);
  expect((await run([...commandLine, "--debug"], { AWS_ENDPOINT_URL })).stderr).toMatch(/^ +at .*publish\.ts/m);
});

test("--help fits a terminal and does nothing", async () => {
  const { code, stdout } = await run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^npm run publish:sar -- --bucket NAME/);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});
