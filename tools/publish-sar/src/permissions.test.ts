import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { calledActions } from "@quarterturn-tools/sam";
import { expect, test } from "vitest";
import { bucketPolicy, publisherPolicy } from "./permissions.ts";

/** S3's calls that have actions of other names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const s3Actions: Readonly<Record<string, string>> = {
  "s3:HeadBucket": "s3:ListBucket",
  "s3:HeadObject": "s3:GetObject",
};

async function actionsInCode(): Promise<readonly string[]> {
  const sources: string[] = [];
  for await (const file of glob("*.ts", { cwd: import.meta.dirname })) {
    if (!file.endsWith(".test.ts")) sources.push(await readFile(join(import.meta.dirname, file), "utf8"));
  }
  return [...new Set(calledActions(sources).map((action) => s3Actions[action] ?? action))].sort();
}

test("the publisher's policy grants what the code calls, neither more nor less", async () => {
  const { Statement: statements } = JSON.parse(publisherPolicy("BUCKET"));
  const granted = statements.flatMap(({ Action }: { Action: string | string[] }) => Action);
  expect(granted.sort()).toEqual(await actionsInCode());
  const onAll = statements.filter(({ Resource }: { Resource: string }) => Resource === "*");
  // The two for which the repository knows no resource.
  expect(onAll.map(({ Action }: { Action: string[] }) => Action)).toEqual([
    ["serverlessrepo:CreateApplication", "serverlessrepo:ListApplications"],
  ]);
});

test("the README has both policies", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  for (const policy of [bucketPolicy("BUCKET"), publisherPolicy("BUCKET")]) expect(readme).toContain(policy);
});
